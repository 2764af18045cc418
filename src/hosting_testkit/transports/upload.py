"""The request body on its way to the app: pulled only when the app asks, in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable

from .wakeup import Wakeup

Body = bytes | AsyncIterable[bytes]


async def half_open(*chunks: bytes) -> AsyncIterator[bytes]:
    """A request body that sends these chunks and is then never finished."""
    for chunk in chunks:
        yield chunk
    await asyncio.get_running_loop().create_future()


class Upload:
    """Pulls one body; a pull that the app gave up waiting for is kept, so that no chunk is lost."""

    def __init__(self, body: Body, piece: int | None, wakeup: Wakeup) -> None:
        self.error: Exception | None = None
        self.ended = False
        self._pieces = _pieces(body, piece)
        self._wakeup = wakeup
        self._pull: asyncio.Task[bytes | None] | None = None

    async def next(self, gone: Callable[[], bool]) -> bytes | None:
        """The next piece; b"" once at the end of the body; `None` if there is none or the client is gone."""
        while not (gone() or self.ended):
            pull = self._pull = self._pull or self._start_pull()
            await self._wakeup.until(lambda pull=pull: gone() or self._pull is not pull or pull.done())
            if self._pull is pull and pull.done():
                self._pull = None
                piece = pull.result()
                self.ended = not piece
                return piece
        return None

    def _start_pull(self) -> asyncio.Task[bytes | None]:
        pull = asyncio.get_running_loop().create_task(self._next_piece(), name="request body")
        pull.add_done_callback(lambda _: self._wakeup.notify())
        return pull

    async def _next_piece(self) -> bytes | None:
        try:
            return await anext(self._pieces, b"")
        except Exception as error:
            self.error = error
            return None

    async def aclose(self) -> None:
        """Stop pulling and close the caller's iterator."""
        if self._pull is not None:
            self._pull.cancel()
            await asyncio.wait({self._pull})
        await self._pieces.aclose()


async def _pieces(body: Body, size: int | None) -> AsyncGenerator[bytes]:
    if isinstance(body, bytes):
        for piece in _cut(body, size):
            yield piece
        return
    source = aiter(body)
    try:
        async for chunk in source:
            for piece in _cut(chunk, size):
                yield piece
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


def _cut(data: bytes, size: int | None) -> list[bytes]:
    step = size or len(data) or 1
    return [data[start : start + step] for start in range(0, len(data), step)]
