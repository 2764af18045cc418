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
    "stops-when-there-is-time",
    defect="stops a turn a minute later when many others are under way",
    kills={
        "HC-CONC-003": "turns under way of somebody who has stopped the first with 24 slow turns under way"
    },
)
class StopsWhenThereIsTime(BotChannel):
    busy = 0

    async def process(self, event: InboundEvent, /) -> None:
        if event.bypass_lane and self.busy >= 24:
            await asyncio.sleep(60)
        self.busy += 1
        try:
            await super().process(event)
        finally:
            self.busy -= 1


@mutant(
    "four-turns-at-a-time",
    defect="lets four turns run at a time, and what stops one of them waits for its turn",
    kills={"HC-CONC-003": "the answer to another person meanwhile with 24 slow turns under way: FAILED"},
)
class FourAtATime(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.slots = asyncio.Semaphore(4)

    async def process(self, event: InboundEvent, /) -> None:
        async with self.slots:
            await super().process(event)


@mutant(
    "one-reply-at-a-time",
    defect="sends one reply after the other, and waits within it for the platform's limit",
    kills={"HC-CONC-003": "the answer to another person while a message waits for its limit: FAILED"},
)
class OneReplyAtATime(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lock = asyncio.Lock()

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        async with self.lock:
            return await super().push(destination, payload, context=context)


@mutant(
    "one-message-in-hand",
    defect="keeps what it sends in one place, and tries again whatever stands there now",
    kills={
        "HC-CONC-003": "how often each message of both is shown once it no longer waits for its limit: FAILED"
    },
)
class OneMessageInHand(BotChannel):
    hand: tuple[Destination, str, Mapping[str, Any]]

    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        self.hand = destination, method, params
        return await super().deliver(destination, method, params, begun=begun)

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        return await super().send(*self.hand)


@mutant(
    "one-message-at-a-time",
    defect="sends one message after the other, each once the one before was answered",
    kills={"HC-CONC-003": "the answer to another person while a message has no answer yet: FAILED"},
)
class OneMessageAtATime(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lock = asyncio.Lock()

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        async with self.lock:
            return await super().send(destination, method, params)


@mutant(
    "shares-equal-questions",
    defect="answers equal questions that come at once by one run, whoever asks",
    kills={"HC-CONC-001": "runs at once of people who say the same: FAILED"},
)
class SharesEqualQuestions(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked: dict[str, asyncio.Task[HostedRunResult[Any]]] = {}

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        said = str(body.get("input"))
        if said not in self.asked:
            self.asked[said] = asyncio.ensure_future(super().run(turn, body))
        try:
            return await self.asked[said]
        finally:
            self.asked.pop(said, None)


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
