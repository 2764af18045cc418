"""Channels that mix up turns which run at the same time, or let one hold up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import Context
from typing import Any, ClassVar

from hosting import (
    ChannelRequest,
    Destination,
    HostedRunResult,
    InboundEvent,
    PushContext,
    PushReceipt,
)

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("last-sender-wins", kills={"HC-CONC-001": "what one of 4 people at once is told: FAILED"})
class LastSenderWins(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        self.place = event.conversation_id
        return super().request(event)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        here = Destination(destination.channel, destination.native_id, conversation_id=self.place)
        return await super().push(here, payload, context=context)


@mutant("shared-buffer", kills={"HC-CONC-001": "what one of 4 people at once is told: FAILED"})
class SharedBuffer(RpcChannel):
    said: ClassVar[list[str]] = []

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        self.said.clear()
        result = await super().run(turn, body)
        self.said.extend(super().items(result))
        return result

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return list(self.said)


@mutant(
    "unserialised",
    kills={
        "HC-SESS-010": "runs, in the order in which they were asked for",
        "HC-CONC-002": "answers, in order: FAILED",
    },
)
class Unserialised(BotChannel):
    """Answers in tasks of its own; each looks its sender up first, which takes as long as it takes."""

    patience = 1.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tasks: set[asyncio.Task[None]] = set()

    async def process(self, event: InboundEvent, /) -> None:
        task = asyncio.create_task(self.answer(event, self.patience), context=Context())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self.patience /= 2

    async def answer(self, event: InboundEvent, seconds: float) -> None:
        await asyncio.sleep(seconds)
        result = await self.run(self.request(event), event)
        place = Destination(self.name, event.native_id, conversation_id=event.conversation_id)
        context = PushContext(delivery_id=event.delivery_id, attempt=1, originating=True)
        await self.push(place, result, context=context)


@mutant("global-lock", kills={"HC-CONC-003": "the answer to another person meanwhile: FAILED"})
class GlobalLock(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lock = asyncio.Lock()

    async def process(self, event: InboundEvent, /) -> None:
        async with self.lock:
            await super().process(event)


@mutant(
    "one-request-at-a-time",
    defect="lets one request run at a time",
    kills={"HC-CONC-001": "runs at once: FAILED"},
)
class OneRequestAtATime(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lock = asyncio.Lock()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        async with self.lock:
            return await super().run(turn, body)
