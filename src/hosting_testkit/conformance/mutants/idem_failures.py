"""Channels that lose or repeat an event when something goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hosting import (
    Caller,
    ChannelRequest,
    Destination,
    HostedRunResult,
    InboundEvent,
    PushContext,
    PushReceipt,
    PushRetryable,
)
from hosting.state import StateUnavailable

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .idem import OwnSet
from .model import mutant


@mutant("remembers-failure", kills={"HC-IDEM-003": "runs after it was delivered again: FAILED"})
class RemembersFailure(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if not isinstance(event, Ignored) and event.delivery_id not in self.seen:
            self.seen.add(event.delivery_id)
            await self.context.accept(event)


@mutant("clears-after-send", kills={"HC-IDEM-004": "runs after a failed run: FAILED"})
class ClearsOnFailure(OwnSet):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            return await super().run(request, event)
        except Exception:
            self.seen.discard(event.delivery_id.rpartition("-")[0])
            raise


@mutant("clears-after-send", kills={"HC-IDEM-004": "runs after a failed run: FAILED"})
class RpcClearsOnFailure(RpcChannel):
    """Gives up a key as soon as its request has failed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.failed: set[str] = set()

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(delivery_id=None) if turn.delivery_id in self.failed else turn

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except Exception:
            self.failed.add(turn.delivery_id or "")
            raise


@mutant(
    "clears-at-a-failed-send",
    defect="uses a set of its own, and unmarks what it has seen when an answer cannot be sent",
    kills={"HC-IDEM-004": "runs after a send that failed: FAILED"},
)
class ClearsAtAFailedSend(OwnSet):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        try:
            return await super().push(destination, payload, context=context)
        except PushRetryable:
            self.seen.clear()
            raise


@mutant(
    "drops-unsent",
    defect="gives an answer up as soon as the platform cannot be reached",
    kills={"HC-IDEM-004": "how often the reply is shown after a send that failed: FAILED"},
)
class DropsUnsent(BotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        try:
            return await super().push(destination, payload, context=context)
        except PushRetryable:
            return PushReceipt(status="dead", detail="away")


@mutant(
    "sends-at-redelivery",
    defect="shows the answer again when an event is delivered again",
    kills={"HC-IDEM-004": "what is shown because of a redelivery after a lost acknowledgement: FAILED"},
)
class SendsAtRedelivery(BotChannel):
    """Keeps what it has answered, should the platform ask again."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answers: dict[str, tuple[Destination, HostedRunResult[Any]]] = {}

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        result = await super().run(request, event)
        self.answers[event.delivery_id] = (request.destination, result)
        return result

    async def take(self, payload: Mapping[str, Any]) -> None:
        await super().take(payload)
        if answer := self.answers.get(str(payload.get("id"))):
            context = PushContext(delivery_id="again", attempt=1, originating=True)
            await self.push(answer[0], answer[1], context=context)


@mutant(
    "acks-unclaimed",
    defect="acknowledges an event although the store did not take it",
    kills={"HC-IDEM-003": "the status while the store is away: FAILED"},
)
class AcksUnclaimed(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        with suppress(StateUnavailable):
            await super().take(payload)


@mutant(
    "runs-without-the-store",
    defect="runs a request without a session when the store is away",
    kills={"HC-IDEM-003": "runs while the store is away: FAILED"},
)
class RunsWithoutTheStore(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except StateUnavailable:
            alone = turn.replace(session=None, session_mode="disabled", delivery_id=None)
            return await self.context.run(alone, protocol_request=body)


@mutant(
    "refused-once-is-always-new",
    defect="takes every further delivery of an event that it refused once for a new event",
    kills={"HC-IDEM-003": "runs after a third delivery: FAILED"},
)
class RefusedOnceIsAlwaysNew(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.refused: Counter[str] = Counter()

    def delivery_id(self, event_id: str) -> str:
        if event_id in self.refused:
            self.refused[event_id] += 1
            return f"{event_id}-{self.refused[event_id]}"
        return event_id

    async def take(self, payload: Mapping[str, Any]) -> None:
        try:
            await super().take(payload)
        except StateUnavailable:
            self.refused[str(payload.get("id"))] += 1
            raise
