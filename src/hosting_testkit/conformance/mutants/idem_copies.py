"""Channels that recognise a repeated delivery, and do the wrong thing about it or about what comes after it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent_framework import Message

from hosting import (
    Caller,
    ChannelRequest,
    ChannelSession,
    Destination,
    HostedRunResult,
    InboundEvent,
    NotReady,
    PushContext,
    PushReceipt,
)

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant(
    "locks-out-who-repeats",
    defect="takes a person whose message came twice for a flooder, and drops all that they say later",
    kills={"HC-IDEM-001": "runs with another delivery id: FAILED"},
)
class LocksOutWhoRepeats(BotChannel):
    repeats = 1

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()
        self.repeated: Counter[str | None] = Counter()

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored):
            return
        if event.delivery_id in self.seen:
            self.repeated[event.native_id] += 1
        self.seen.add(event.delivery_id)
        if self.repeated[event.native_id] < self.repeats:
            await self.context.accept(event)


@mutant(
    "counts-redeliveries-as-flood",
    defect="drops all that a person says after the platform has sent four of their messages twice",
    kills={"HC-IDEM-004": "the next turn: FAILED"},
)
class CountsRedeliveriesAsFlood(LocksOutWhoRepeats):
    repeats = 4


@mutant(
    "silent-after-copies",
    defect="does not show the answer to an event that came more than once, for fear of showing it twice",
    kills={
        "HC-IDEM-002": "one of the copies is answered: FAILED",
        "HC-IDEM-003": "the answer then: FAILED",
    },
)
class SilentAfterCopies(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.came: Counter[str] = Counter()
        self.answering: dict[Destination, str] = {}

    async def take(self, payload: Mapping[str, Any]) -> None:
        self.came[str(payload.get("id"))] += 1
        await super().take(payload)

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        self.answering[request.destination] = event.delivery_id
        return await super().run(request, event)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        if self.came[self.answering[destination]] > 1:
            return PushReceipt(status="sent")
        return await super().push(destination, payload, context=context)


@mutant(
    "unready-for-copies",
    defect="answers 503 to a copy that comes while the first one is being stored",
    kills={"HC-IDEM-002": "copies that are answered as if the server had failed: FAILED"},
)
class UnreadyForCopies(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.storing: set[str] = set()

    async def take(self, payload: Mapping[str, Any]) -> None:
        event_id = str(payload.get("id"))
        if event_id in self.storing:
            raise NotReady("This event is being stored.")
        self.storing.add(event_id)
        try:
            await super().take(payload)
        finally:
            self.storing.remove(event_id)


@mutant(
    "message-id-of-content",
    defect="makes the id of a message from its words",
    kills={"HC-IDEM-005": "each message has an id of its own: FAILED"},
)
class MessageIdOfContent(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        said = str(turn.input)
        message_id = hashlib.sha256(said.encode()).hexdigest()
        return turn.replace(input=[Message("user", [said], message_id=message_id)])


@mutant(
    "repeated-words-apart",
    defect="answers words that it heard before in a session of their own, as if somebody had sent them again",
    kills={"HC-IDEM-005": "what the session holds: FAILED"},
)
class RepeatedWordsApart(BotChannel):
    said: str = ""

    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        before, self.said = self.said, str(request.input)
        return request.replace(session=ChannelSession("again")) if self.said == before else request


@mutant(
    "empty-for-a-repeat",
    defect="answers a repeated key without the text, which the caller is supposed to have",
    kills={"HC-IDEM-011": "in sequence: the answer to the second request: FAILED"},
)
class EmptyForARepeat(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answered: set[str] = set()

    def render(self, result: HostedRunResult[Any], items: Any) -> dict[str, Any]:
        repeated = result.response_id in self.answered
        self.answered.add(result.response_id)
        return super().render(result, [] if repeated else items)


@mutant(
    "believes-labels",
    defect="takes the number of a delivery from a header that nobody signed",
    kills={"HC-IDEM-001": "runs of a delivery that comes again under other headers: FAILED"},
)
class BelievesLabels(BotChannel):
    label = ""

    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        super().authenticate(raw, headers)
        self.label = headers.get("x-delivery-id", "")

    def delivery_id(self, event_id: str) -> str:
        return self.label or super().delivery_id(event_id)


@mutant(
    "floats-ids",
    defect="reads ids as floats, which cannot tell the great ones apart",
    kills={"HC-IDEM-001": "runs with a delivery id that is the number after it: FAILED"},
)
class FloatsIds(BotChannel):
    def delivery_id(self, event_id: str) -> str:
        return f"{float(event_id):.0f}" if event_id.isdecimal() else super().delivery_id(event_id)
