"""Turns that one host cancels and another one runs: `/stop`, `interrupt`, a cancelled response (contract 6.7, 6.8)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from ..clock import TimeSource, epoch_ms
from ..state.base import HostStateStore
from ..state.signals import StoreSignals, signal
from ..state.tables import cancels, instances, turns
from ..state.tables.cancels import TOPIC
from .registry import RunningTurns
from .turn import CancelReason, Turn

if TYPE_CHECKING:
    from .services import TurnServices

_LOOK = 1.0
"""Seconds between two looks while turns run."""

_PATIENCE = 60.0
"""Seconds for which a question stands."""

_POLL = 0.2
"""Seconds between two looks at whether the turn has ended."""


class CancelWatcher:
    """Looks for what other hosts ask of this one.

    A question is taken away when the turn has ended: whoever asked waits for that.

    Args:
        store: Where they ask.
        running: The turns of this host.
        clock: Says which questions are too old.
    """

    def __init__(self, store: HostStateStore, running: RunningTurns, clock: TimeSource) -> None:
        self._store = store
        self._running = running
        self._clock = clock
        self._ending: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Watches until cancelled."""
        asked = asyncio.Event()
        end = self._store.subscribe(TOPIC, asked) if isinstance(self._store, StoreSignals) else None
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await asked.wait()
                asked.clear()
                if len(self._running):
                    await self._look()
        finally:
            if end is not None:
                end()
            await self._stop()

    async def _look(self) -> None:
        rows = (await self._store.execute(cancels.load_cancels(now_ms=epoch_ms(self._clock))))[0]
        for asked_for, reason in cancels.read_cancels(rows).items():
            turn = None if asked_for in self._ending else self._find(asked_for)
            if turn is not None:
                turn.cancel(cast("CancelReason", reason))
                self._ending[asked_for] = asyncio.create_task(
                    self._answer(asked_for, turn), name=f"hosting.cancel.{turn.id}"
                )

    async def _answer(self, asked_for: str, turn: Turn) -> None:
        try:
            await turn.ended.wait()
            await self._store.execute(cancels.forget_cancel(asked_for))
        finally:
            del self._ending[asked_for]

    async def _stop(self) -> None:
        for task in (tasks := list(self._ending.values())):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _find(self, asked_for: str) -> Turn | None:
        by_response = self._running.find(asked_for)
        return by_response or next((turn for turn in self._running if turn.lock_id == asked_for), None)


async def cancel_elsewhere(response_id: str, host_id: str, services: TurnServices) -> bool:
    """Has another host cancel the turn that answers under `response_id`, and waits for its end.

    Returns:
        False where that host is gone, or does not answer in time.
    """
    store, until = services.store, epoch_ms(services.clock) + int(_PATIENCE * 1000)
    ask = cancels.ask_to_cancel(response_id, "cancelled", until_ms=until)
    await store.execute(ask, signal(TOPIC))
    while (now := epoch_ms(services.clock)) < until:
        asked, turn, alive = await store.execute(
            cancels.load_cancels(now_ms=now),
            turns.load_turn_by_response(response_id),
            instances.load_alive(host_id, now_ms=now),
        )
        ended = turns.read_turn(turn)
        if response_id not in cancels.read_cancels(asked):
            return True
        if ended is not None and ended.finished_ms is not None:
            await store.execute(cancels.forget_cancel(response_id))
            return True
        if not alive:
            break
        await asyncio.sleep(_POLL)
    await store.execute(cancels.forget_cancel(response_id))
    return False
