"""Channels that do not know how fast their client reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from hosting import ChannelRequest, HostedStreamResult
from hosting.web import StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant("unbounded-buffer", kills={"HC-CANCEL-001": "updates pulled while nobody reads: FAILED"})
class UnboundedBuffer(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def drain() -> None:
            async for frame in super(UnboundedBuffer, self).frames(stream):
                waiting.put_nowait(frame)
            waiting.put_nowait(None)

        draining = asyncio.create_task(drain(), name="drain")
        try:
            while (frame := await waiting.get()) is not None:
                yield frame
        finally:
            draining.cancel()


@mutant("waits-for-reader", kills={"HC-CANCEL-012": "the stream of a reader that takes nothing: FAILED"})
class WaitsForReader(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        frames = self.frames(await self.open(turn, body))
        return StreamingAnswer(frames, write_timeout=1e9, logger=self.context.logger)


class _InTime:
    def __init__(self, answer: StreamingAnswer, seconds: float) -> None:
        self.answer = answer
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.seconds):
                await self.answer(scope, receive, send)
        except TimeoutError:
            return


@mutant("drops-slow-reader", kills={"HC-CANCEL-012": "what a slow reader gets: FAILED"})
class DropsSlowReader(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        return _InTime(await super().answer_stream(turn, body), self.context.limits.write_timeout)
