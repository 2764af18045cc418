"""Channels that serve so many at once, and do not count one as gone whose turn did not end well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from hosting import ChannelRequest, HostedRunResult, HostedStreamResult, HostingError, InboundEvent

from ..reference import BotChannel, RpcChannel
from .model import mutant

_AT_ONCE = 64


class _Slots(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.slots = asyncio.Semaphore(_AT_ONCE)


@mutant(
    "slot-kept-by-a-left-stream",
    defect="serves 64 streams at once, and gives the slot of one back after its last event only",
    kills={"HC-CANCEL-004": "streams that begin, of 130 in a row whose clients leave in the middle: FAILED"},
)
class SlotKeptByALeftStream(_Slots):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        frames = super().frames(stream)
        await self.slots.acquire()
        try:
            async for frame in frames:
                yield frame
        finally:
            await frames.aclose()
        self.slots.release()


@mutant(
    "slot-kept-by-a-left-turn",
    defect="serves 64 turns at once, and keeps the slot of one that is cancelled",
    kills={
        "HC-CANCEL-007": "turns that begin, of 130 in a row whose clients leave before the answer: FAILED"
    },
)
class SlotKeptByALeftTurn(_Slots):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        await self.slots.acquire()
        try:
            result = await super().run(turn, body)
        except HostingError:
            self.slots.release()
            raise
        self.slots.release()
        return result


@mutant(
    "slot-kept-by-a-refused-stream",
    defect="serves 64 streams at once, and keeps the slot of one that is refused before it begins",
    kills={
        "HC-RUNHOOK-004": "streamed turns that come to the hook, of 130 in a row that it refuses: FAILED",
    },
)
class SlotKeptByARefusedStream(_Slots):
    async def open(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedStreamResult:
        await self.slots.acquire()
        stream = await super().open(turn, body)
        self.slots.release()
        return stream


@mutant(
    "slot-kept-by-a-refused-turn",
    defect="runs 64 turns at once, and keeps the slot of one that fails",
    kills={"HC-RUNHOOK-004": "turns that come to the hook, of 130 in a row that it refuses: FAILED"},
)
class SlotKeptByARefusedTurn(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        await self.slots.acquire()
        result = await super().run(request, event)
        self.slots.release()
        return result
