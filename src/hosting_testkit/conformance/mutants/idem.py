"""Channels that cannot tell a redelivery from a new message."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hosting import Caller, ChannelRequest, HostedRunResult, InboundEvent, TurnInProgress

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant

_numbers = itertools.count()


@mutant("no-dedupe", kills={"HC-IDEM-001": "runs of both deliveries"})
class NoDedupe(BotChannel):
    def delivery_id(self, event_id: str) -> str:
        return f"{event_id}-{next(_numbers)}"


@mutant(
    "no-double-taps",
    defect="takes the same words in the same chat within two seconds for a slip of the finger",
    kills={"HC-IDEM-005": "runs of two messages with the same words: FAILED"},
)
class NoDoubleTaps(BotChannel):
    last: tuple[str | None, str, float] = "", "", 0.0

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if isinstance(event, Ignored):
            return event
        place, text, at = self.last
        self.last = event.conversation_id, self.text(payload), self.context.time_source.now()
        again = self.last[:2] == (place, text) and self.last[2] - at < 2.0
        return Ignored("said twice") if again else event


@mutant(
    "ids-in-small-letters",
    defect="takes ids for one that differ in case",
    kills={"HC-IDEM-001": "runs with a delivery id the same in capital letters: FAILED"},
)
class IdsInSmallLetters(BotChannel):
    def delivery_id(self, event_id: str) -> str:
        return event_id.lower()


@mutant(
    "ids-of-forty-letters",
    defect="keeps the first forty letters of an id",
    kills={"HC-IDEM-001": "runs with a delivery id that is as long and ends otherwise: FAILED"},
)
class IdsOfFortyLetters(BotChannel):
    def delivery_id(self, event_id: str) -> str:
        return event_id[:40]


@mutant(
    "only-newer",
    defect="acknowledges what comes after a message with a greater number, and drops it",
    kills={"HC-IDEM-001": "runs with a delivery id that is a smaller number: FAILED"},
)
class OnlyNewer(BotChannel):
    newest = 0

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if isinstance(event, Ignored) or not event.delivery_id.isdecimal():
            return event
        number, newest = int(event.delivery_id), self.newest
        self.newest = max(number, newest)
        return Ignored("older than the last") if number < newest else event


@mutant(
    "id-of-the-key",
    defect="makes the id of an answer of the request's key, whoever sends it",
    kills={"HC-IDEM-011": "it has an id of its own: FAILED"},
)
class IdOfTheKey(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(response_id=f"resp_{turn.delivery_id}") if turn.delivery_id else turn


@mutant("no-dedupe", kills={"HC-IDEM-001": "runs of both deliveries"})
class NoIdempotencyKey(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        return super().parse(body, caller, headers).replace(delivery_id=None)


@mutant(
    "refuses-redelivery",
    defect="answers 409 to a redelivery, so that the platform sends it for ever",
    kills={"HC-IDEM-001": "the second delivery is acknowledged: FAILED"},
)
class RefusesRedelivery(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    def delivery_id(self, event_id: str) -> str:
        if event_id in self.seen:
            raise TurnInProgress("This event was seen before.")
        self.seen.add(event_id)
        return event_id


class OwnSet(BotChannel):
    """Keeps what it has seen itself; to the host each delivery is a new one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored) or event.delivery_id in self.seen:
            return
        fresh = {"delivery_id": f"{event.delivery_id}-{next(_numbers)}"}
        await self.mark(event.delivery_id)
        await self.context.accept(replace(event, **fresh))

    async def mark(self, delivery_id: str) -> None:
        self.seen.add(delivery_id)


@mutant("check-then-act", kills={"HC-IDEM-002": "runs of copies that came at once: FAILED"})
class CheckThenAct(OwnSet):
    async def mark(self, delivery_id: str) -> None:
        await asyncio.sleep(0.01)  # a look into a cache elsewhere
        await super().mark(delivery_id)


@mutant("content-hash-dedupe", kills={"HC-IDEM-005": "runs of two messages with the same words: FAILED"})
class ContentHash(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if not isinstance(event, Ignored):
            said = hashlib.sha256(self.text(payload).encode()).hexdigest()
            await self.context.accept(replace(event, delivery_id=said))


@mutant("content-hash-dedupe", kills={"HC-IDEM-005": "runs of two messages with the same words: FAILED"})
class RpcContentHash(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        said = hashlib.sha256(str(turn.input).encode()).hexdigest()
        return turn.replace(delivery_id=said)


@mutant("ignores-idempotency-key", kills={"HC-IDEM-011": "in sequence: runs of both requests: FAILED"})
class IgnoresKey(NoIdempotencyKey):
    """Does not read the header."""


@mutant(
    "idempotency-key-global",
    kills={"HC-IDEM-011": "the answer to another caller with the same key: FAILED"},
)
class GlobalKey(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(caller=Caller("everybody")) if turn.delivery_id else turn


@mutant(
    "lower-case-key",
    defect="takes keys for the same that differ in case",
    kills={"HC-IDEM-011": "the answer under a key that differs in case only: FAILED"},
)
class LowerCaseKey(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(delivery_id=turn.delivery_id and turn.delivery_id.lower())


@mutant(
    "new-id-for-a-repeat",
    defect="answers a repeated key under a new id",
    kills={"HC-IDEM-011": "the body of the second answer: FAILED"},
)
class NewIdForRepeat(RpcChannel):
    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        return {**super().render(result, items), "id": self.context.id_source.new("resp")}
