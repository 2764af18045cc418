"""How many target runs there are at once (contract 16.1)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass

from ..errors import RateLimited


@dataclass(slots=True, eq=False)
class RunSlot:
    """One run's place; `held` until the run ends."""

    slots: RunSlots
    held: bool = True


_around: ContextVar[RunSlot | None] = ContextVar("hosting_run_slot", default=None)
"""The slot of the run that the current code was started in, perhaps over by now."""


class RunSlots:
    """First come, first served slots. A run started inside a run uses its parent's slot while the parent has it.

    Args:
        slots: Runs at once.
        queue: Turns that may wait for a slot.
    """

    def __init__(self, *, slots: int, queue: int) -> None:
        self._free = slots
        self._queue = queue
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> RunSlot | None:
        """Takes a slot, waiting for one if need be; None where the parent's is used.

        Raises:
            RateLimited: Slots and queue are full.
        """
        around = _around.get()
        if around is not None and around.held and around.slots is self:
            return None
        await self._take()
        slot = RunSlot(self)
        _around.set(slot)
        return slot

    def release(self, slot: RunSlot) -> None:
        """Gives the slot back, or to the next in line."""
        slot.held = False
        self._give()

    async def _take(self) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= self._queue:
            raise RateLimited("The host is busy.", retry_after=1.0)
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(granted)
        try:
            await granted
        except BaseException:
            if granted.done() and not granted.cancelled():
                self._give()
            elif granted in self._waiting:
                self._waiting.remove(granted)
            raise

    def _give(self) -> None:
        while self._waiting:
            granted = self._waiting.popleft()
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1
