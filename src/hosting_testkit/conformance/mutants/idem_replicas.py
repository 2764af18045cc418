"""Channels whose memory of events is not that of all their processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hosting import InboundEvent, NotReady

from ..reference import BotChannel
from ..reference.bot_update import Ignored
from .model import mutant


class _Remembering(BotChannel):
    """Looks at an event before it is claimed."""

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if not isinstance(event, Ignored) and (wanted := await self.looked_at(event)):
            await self.context.accept(wanted)

    async def looked_at(self, event: InboundEvent) -> InboundEvent | None:
        return event

    def renamed(self, event: InboundEvent) -> InboundEvent:
        """The event under an id of the channel's own."""
        return replace(event, delivery_id=self.context.id_source.new("evt"))


@mutant("memory-dedupe", kills={"HC-IDEM-006": "runs of a copy at a second instance: FAILED"})
class MemoryDedupe(_Remembering):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    async def looked_at(self, event: InboundEvent) -> InboundEvent | None:
        known = event.delivery_id in self.seen
        self.seen.add(event.delivery_id)
        return None if known else self.renamed(event)


@mutant(
    "asks-then-notes",
    defect="asks the store whether it knows an event, and notes it afterwards",
    kills={"HC-IDEM-006": "runs of two copies at two instances at once: FAILED"},
)
class AsksThenNotes(_Remembering):
    async def looked_at(self, event: InboundEvent) -> InboundEvent | None:
        seen = self.context.state("seen")
        if await seen.get(event.delivery_id):
            return None
        await seen.put(event.delivery_id, True)
        return self.renamed(event)


@mutant(
    "refuses-copies-of-others",
    defect="answers 503 to copies of what another instance took, so that the platform sends them there",
    kills={"HC-IDEM-006": "a copy at a second instance: FAILED"},
)
class RefusesCopiesOfOthers(_Remembering):
    async def looked_at(self, event: InboundEvent) -> InboundEvent | None:
        taken = self.context.state("taken")
        if await taken.get(event.delivery_id) not in (None, self.context.host_id):
            raise NotReady("Another instance has this event.")
        await taken.put(event.delivery_id, self.context.host_id)
        return event


@mutant(
    "idle-beside-another",
    defect="acknowledges events and leaves them to the instance that was there first",
    kills={"HC-IDEM-006": "runs with another delivery id: FAILED"},
)
class IdleBesideAnother(_Remembering):
    async def looked_at(self, event: InboundEvent) -> InboundEvent | None:
        first = await self.context.state("first").get("host")
        return event if first == self.context.host_id else None

    async def start(self) -> None:
        await super().start()
        first = self.context.state("first")
        if not await self.context.host_lives(await first.get("host") or ""):
            await first.put("host", self.context.host_id)
