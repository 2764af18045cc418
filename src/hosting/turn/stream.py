"""A streamed turn: one task owns the run, a bounded buffer joins it to its reader (contract 7.0-7.3)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from agent_framework import AgentResponseUpdate

from ..envelope import ChannelSession
from ..results import HostedRunResult
from .turn import Turn

Streamed = tuple[AgentResponseUpdate, AgentResponseUpdate | None]
"""An update as the target gave it, and as the stream hook left it; None where the hook dropped it."""


class UpdateBuffer:
    """Updates that wait for the reader; the writer waits once `limit` of them do.

    One writer, one reader. Everything that waits is taken at once, so a fast target costs one frame for many updates.

    Args:
        limit: Updates that may wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Streamed] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._draining = False
        self.ended = False

    @property
    def is_empty(self) -> bool:
        """Whether no update waits."""
        return not self._waiting

    async def begun(self, *, patience: float | None) -> None:
        """Returns once there is an update or the end, or after `patience` seconds."""
        if not self._waiting and not self.ended:
            await self._wait_for_writer(patience)

    async def put(self, raw: AgentResponseUpdate, update: AgentResponseUpdate | None) -> None:
        """Adds an update as the target gave it and as the stream hook left it, waiting while the reader is behind."""
        while len(self._waiting) >= self._limit:
            await self._wait_for_reader()
        self._waiting.append((raw, update))
        _resolve(self._reader)

    async def drained(self) -> None:
        """Returns once the reader has taken everything and asked for more."""
        self._draining = True
        while self._waiting or self._reader is None:
            await self._wait_for_reader()

    def end(self) -> None:
        """Nothing follows."""
        self.ended = True
        _resolve(self._reader)

    async def take(self, timeout: float | None) -> list[Streamed] | None:
        """All updates that wait; [] after `timeout` seconds of silence, None at the end."""
        if not self._waiting and not self.ended and not await self._wait_for_writer(timeout):
            return []
        if not self._waiting:
            return None
        taken = list(self._waiting)
        self._waiting.clear()
        if not self._draining:
            _resolve(self._writer)
        return taken

    async def _wait_for_reader(self) -> None:
        self._writer = asyncio.get_running_loop().create_future()
        try:
            await self._writer
        finally:
            self._writer = None

    async def _wait_for_writer(self, timeout: float | None) -> bool:
        loop = asyncio.get_running_loop()
        self._reader = reader = loop.create_future()
        _resolve(self._writer)
        timer = loop.call_later(timeout, _resolve, reader) if timeout is not None else None
        try:
            await reader
        finally:
            self._reader = None
            if timer is not None:
                timer.cancel()
        return bool(self._waiting) or self.ended


def _resolve(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


class HostedStream:
    """The reader's end of a streamed turn; see `hosting.HostedStreamResult`."""

    def __init__(
        self, turn: Turn, buffer: UpdateBuffer, owner: asyncio.Task[HostedRunResult[Any]], keepalive: float
    ):
        self._turn = turn
        self._buffer = buffer
        self._owner = owner
        self._keepalive = keepalive

    @property
    def response_id(self) -> str:
        first = self._turn.repeats
        return self._turn.response_id if first is None else first.response_id or ""

    @property
    def turn_id(self) -> str:
        first = self._turn.repeats
        return self._turn.id if first is None else first.turn_id

    @property
    def session(self) -> ChannelSession | None:
        name = self._turn.name
        return ChannelSession(name.isolation_key, key=name.key) if name else None

    @property
    def raw_events(self) -> AsyncIterator[Any]:
        return self._raw_events()

    async def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
        async for batch in self.batches():
            for update in batch:
                yield update

    def batches(self) -> _Batches:
        return _Batches(self)

    async def result(self) -> HostedRunResult[Any]:
        """The committed end; reads the rest of the stream first, if there is any."""
        async for _ in self.batches():
            pass
        return await asyncio.shield(self._owner)

    async def aclose(self) -> None:
        if not self._owner.done():
            self._turn.cancel("cancelled")
            await asyncio.wait([self._owner])

    async def take(self) -> list[Streamed]:
        """What waits, or [] after a keep-alive's time.

        Raises:
            StopAsyncIteration: The turn is committed.
            HostingError: It failed.
        """
        taken = await self._buffer.take(self._keepalive)
        if taken is None:
            await asyncio.wait([self._owner])
            self._owner.result()
            raise StopAsyncIteration
        return taken

    async def _raw_events(self) -> AsyncIterator[Any]:
        while True:
            try:
                taken = await self.take()
            except StopAsyncIteration:
                return
            for raw, _ in taken:
                yield raw


class _Batches:
    """An iterator rather than a generator: abandoning it half-way leaves nothing to finalise."""

    def __init__(self, stream: HostedStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Batches:
        return self

    async def __anext__(self) -> Sequence[AgentResponseUpdate]:
        while True:
            taken = await self._stream.take()
            batch = [update for _, update in taken if update is not None]
            if batch or not taken:
                return batch
