"""Channels that forget too early, too late, or answer too late."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from hosting import InboundEvent
from hosting.web import JsonAnswer

from ..reference import BotChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant("short-ttl", kills={"HC-IDEM-007": "runs of a redelivery after half of the time: FAILED"})
class ShortTtl(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return event if isinstance(event, Ignored) else replace(event, keep_for=60.0)


@mutant(
    "unbounded-seen",
    kills={
        "HC-IDEM-007": "ids that the channel holds on to: FAILED",
        "HC-CONC-006": "things held more after 16 turns that are answered: FAILED",
    },
)
class UnboundedSeen(BotChannel):
    """Looks into a set of its own first, to spare the store."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored) or event.delivery_id in self.seen:
            return
        await self.context.accept(event)
        self.seen.add(event.delivery_id)


@mutant("acks-late", kills={"HC-IDEM-008": "an acknowledgement in the platform's time: FAILED"})
class AcksLate(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.done: dict[str, asyncio.Event] = {}

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored):
            return
        done = self.done.setdefault(event.delivery_id, asyncio.Event())
        if await self.context.accept(event):
            await done.wait()

    async def process(self, event: InboundEvent, /) -> None:
        await super().process(event)
        self.done.pop(event.delivery_id).set()


@mutant(
    "found-elsewhere",
    defect="sends the platform to another address after it has taken the event",
    kills={"HC-IDEM-008": "the acknowledgement: FAILED"},
)
class FoundElsewhere(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        await super().receive(request)
        return JsonAnswer(b"{}", status=303, headers={"location": "/taken"})
