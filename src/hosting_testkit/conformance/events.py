"""One ordered log of what happened in an item, seen from outside the channel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """One record: virtual time, what happened, and what to whom.

    Kinds: `wire.in`, `wire.out`, `wire.refused`, `wire.broken`, `wire.closed`, `platform`, `platform.in`, `target.run`,
    `store`, `startup.begin`, `startup.end`, `shutdown.begin`, `shutdown.end`, `app.error`, `unraisable`, `log`.
    """

    at: float
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"t={self.at:.3f} {self.kind} {self.detail}".rstrip()


@dataclass(slots=True)
class EventLog:
    """Records in the order in which they happened."""

    events: list[Event] = field(default_factory=list[Event])

    def add(self, kind: str, detail: str = "") -> None:
        """Appends a record with the loop's time."""
        try:
            at = asyncio.get_running_loop().time()
        except RuntimeError:
            at = 0.0
        self.events.append(Event(at, kind, detail))

    def count(self, kind: str) -> int:
        """How often `kind` happened."""
        return sum(event.kind == kind for event in self.events)

    def tail(self, count: int = 12) -> Sequence[str]:
        """The last records as text."""
        return [str(event) for event in self.events[-count:]]
