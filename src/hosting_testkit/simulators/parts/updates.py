"""Updates that wait for a bot: in order, until it confirms them or they are too old."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...transports.wakeup import Wakeup

if TYPE_CHECKING:
    from hosting.clock import TimeSource


class Superseded(Exception):
    """Another poll began, or polling was ended, while this one waited."""


@dataclass(frozen=True, slots=True)
class Update:
    """Something that happened.

    Args:
        id: Counts up by one; what redeliveries have in common.
        kind: Such as `message`.
        at: When, in epoch seconds.
        payload: The platform's own JSON of it.
    """

    id: int
    kind: str
    at: float
    payload: Mapping[str, Any]


class UpdateQueue:
    """The updates of one bot.

    Args:
        clock: Tells their age.
        first_id: The id of the first one.
        keep: Seconds after which an unconfirmed update is lost.

    Attributes:
        kinds: What is queued; None: everything. Holds for what happens from now on.
    """

    def __init__(self, clock: TimeSource, *, first_id: int = 1001, keep: float = 86_400.0) -> None:
        self.kinds: Sequence[str] | None = None
        self._clock = clock
        self._ids = itertools.count(first_id)
        self._keep = keep
        self._waiting: dict[int, Update] = {}
        self._wakeup = Wakeup()
        self._poll = 0

    @property
    def pending(self) -> list[Update]:
        """What is not confirmed, oldest first."""
        oldest = self._clock.now() - self._keep
        self._waiting = {found.id: found for found in self._waiting.values() if found.at >= oldest}
        return list(self._waiting.values())

    def put(self, kind: str, payload: Mapping[str, Any]) -> Update | None:
        """Queues an update; None if the bot does not want that kind."""
        if self.kinds is not None and kind not in self.kinds:
            return None
        update = Update(next(self._ids), kind, self._clock.now(), payload)
        self._waiting[update.id] = update
        self._wakeup.notify()
        return update

    def confirm(self, offset: int) -> None:
        """Forgets what comes before the id `offset`."""
        self._waiting = {number: update for number, update in self._waiting.items() if number >= offset}

    def remove(self, update: Update) -> None:
        """Forgets one that was delivered or given up."""
        self._waiting.pop(update.id, None)

    def clear(self) -> None:
        """Forgets all."""
        self._waiting.clear()

    def end_polls(self) -> None:
        """Whoever polls now is told that it is over."""
        self._poll += 1
        self._wakeup.notify()

    async def poll(self, limit: int, timeout: float) -> list[Update]:
        """The oldest updates, as soon as there are any, at most `limit`; none after `timeout` seconds.

        Raises:
            Superseded: A later poll took over.
        """
        self.end_polls()
        mine = self._poll
        try:
            async with asyncio.timeout(timeout):
                await self._wakeup.until(lambda: self._waiting or self._poll != mine)
        except TimeoutError:
            return []
        if self._poll != mine:
            raise Superseded
        return self.pending[:limit]
