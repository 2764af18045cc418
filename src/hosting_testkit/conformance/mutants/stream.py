"""Channels that send pieces too late, twice, in the wrong order or to the wrong reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

from hosting import Caller, ChannelRequest, HostedStreamResult
from hosting.messaging import StreamedItems

from ..reference import RpcChannel
from .model import mutant


@mutant("buffers-stream", kills={"HC-STREAM-001": "nothing until the end"})
class BuffersStream(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        yield b"".join([frame async for frame in super().frames(stream)])


@mutant("two-terminals", kills={"HC-STREAM-004": "terminal events after a failure in the middle: FAILED"})
class TwoTerminals(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        failed = False
        async for frame in super().frames(stream):
            failed = frame.startswith(b"event: error")
            yield frame
        if failed:
            yield self.frame("done", {"id": stream.response_id, "status": "completed", "items": []})


@mutant("post-terminal-delta", kills={"HC-STREAM-004": "events behind the terminal one"})
class PostTerminalDelta(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        last = b""
        async for frame in super().frames(stream):
            yield frame
            last = frame if frame.startswith(b"event: delta") else last
        yield last


@mutant("reorders", kills={"HC-STREAM-002": "pieces at once: what is visible in the end: FAILED"})
class Reorders(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        ready: asyncio.Queue[bytes] = asyncio.Queue()

        async def send(frame: bytes, seconds: float) -> None:
            await asyncio.sleep(seconds)
            ready.put_nowait(frame)

        sending: list[asyncio.Task[None]] = []
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if not frame.startswith(b"event: delta"):
                    await asyncio.gather(*sending)
                    while not ready.empty():
                        yield ready.get_nowait()
                    yield frame
                else:  # some take longer than others
                    sending.append(asyncio.create_task(send(frame, 0.02 * (len(sending) % 2))))


@mutant("dup-delta", kills={"HC-STREAM-002": "what is visible in the end: FAILED"})
class DuplicateDelta(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        last = b""
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if frame.startswith(b"event: done"):
                    yield last  # flushed once more
                yield frame
                last = frame


@mutant("shared-buffer", kills={"HC-STREAM-019": "what one of two readers sees: FAILED"})
class SharedBuffer(RpcChannel):
    waiting: ClassVar[list[tuple[int, str]]] = []

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items = StreamedItems()
        try:
            async for update in stream:
                self.waiting.extend(items.add(update))
                await asyncio.sleep(0.01)  # more may come
                for item, text in self.waiting:
                    yield self.frame("delta", {"id": stream.response_id, "item": item, "text": text})
                self.waiting.clear()
            yield self.done(await stream.result(), items.texts)
        finally:
            await self.close(stream)


@mutant(
    "id-on-self",
    defect="keeps the id of the answer on the channel, where the next turn puts its own",
    kills={"HC-STREAM-019": "each of two streams names itself only: FAILED"},
)
class IdOnSelf(RpcChannel):
    latest: str | None = None

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        self.latest = turn.response_id
        return turn

    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        return super().frame(event, {**data, "id": self.latest} if event == "delta" else data)
