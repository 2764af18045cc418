"""Channels that measure time by a clock that people set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, ChannelSession, Destination, InboundEvent

from ..reference import BotChannel, EditBotChannel
from ..reference.bot_message import place_of
from ..reference.draft import Draft
from .model import mutant


class _WallClock:
    """A time source whose every time is the wall clock's."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def now(self) -> float:
        return self._source.now()

    def monotonic(self) -> float:
        return self._source.now()


@mutant("wallclock-ttl", kills={"HC-DUR-005": "the answer, the clock set back in between: FAILED"})
class WallclockPace(EditBotChannel):
    """The pace of its edits."""

    def new_draft(self, place: Destination) -> Draft:
        return Draft(self.api, place_of(place), _WallClock(self.context.time_source), self.context.mark_seen)


@mutant("wallclock-ttl", kills={"HC-DUR-005": "the session after the clock was set ahead: FAILED"})
class WallclockIdleTime(BotChannel):
    """Begins a new session when nobody has spoken for half an hour."""

    idle = 1800.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.spoken = 0.0
        self.session = 0

    def request(self, event: InboundEvent) -> ChannelRequest:
        now, before = self.context.time_source.now(), self.spoken
        self.session += now - before > self.idle
        self.spoken = now
        return super().request(event).replace(session=ChannelSession(key=f"session {self.session}"))


@mutant("wallclock-ttl", kills={"HC-DUR-005": "runs of a copy after the clock was set ahead: FAILED"})
class WallclockCopies(BotChannel):
    """Knows copies by the quarter of an hour in which they come."""

    def delivery_id(self, event_id: str) -> str:
        return f"{event_id} in {self.context.time_source.now() // 900:.0f}"


@mutant(
    "drops-the-past",
    defect="drops what comes before the time of the latest message, as if it were stale",
    kills={"HC-DUR-005": "runs after the clock was set back: FAILED"},
)
class DropsThePast(BotChannel):
    latest = 0.0

    async def take(self, payload: Mapping[str, Any]) -> None:
        now = self.context.time_source.now()
        if now >= self.latest:
            self.latest = now
            await super().take(payload)
