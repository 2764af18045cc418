"""Channels that cannot tell a redelivery from a new message."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from hosting import Caller, ChannelRequest, TurnInProgress

from ..reference import BotChannel, RpcChannel
from .model import mutant

_numbers = itertools.count()


@mutant("no-dedupe", kills={"HC-IDEM-001": "runs of both deliveries"})
class NoDedupe(BotChannel):
    def delivery_id(self, event_id: str) -> str:
        return f"{event_id}-{next(_numbers)}"


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
