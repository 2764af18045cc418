"""Claims tasks from the store and keeps their leases while they run (decision S2).

One loop does both, so that a claim and a renewal never overlap. A lease that ran out is found by the next claim of
anybody. Every change of a running task names its fence, so a runner that was overtaken changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ..clock import epoch_ms
from ..state.errors import StateConflict, StateUnavailable
from ..state.signals import StoreSignals
from ..state.tables import tasks
from ..state.tables.tasks import HeldTask, TakenTask
from .attempt import TOPIC, Attempt, AttemptServices
from .verdict import report_buried

_TRY_AGAIN = 1.0
"""Seconds until a store that was away is asked again."""

_BLOCKED = 1.0
"""Seconds until a due task that waits for another one of its key is looked at again."""

_FOR_GOOD_MS = 2**53
"""Past the time of anything, and still exact wherever numbers are floats."""

_PRUNE_EVERY_MS = 60_000
_PRUNED_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperSettings:
    """How a runner works.

    Args:
        concurrency: Tasks at once.
        lease_ms: How long others wait before they take over what a silent runner held.
        alone: Whether no other runner can be on the store: then leases last for good, and what an earlier runner held
            is free at once.
        poll: Seconds between two looks for what other processes did; None where there are none.
    """

    concurrency: int
    lease_ms: int
    alone: bool
    poll: float | None


class Keeper:
    """One life of a runner, from `resume` to the end of `drain`."""

    def __init__(self, services: AttemptServices, settings: KeeperSettings) -> None:
        self._services = services
        self._settings = settings
        self._alone = settings.alone
        self._store = services.host.store
        self._clock = services.host.clock
        self._log = services.host.logger
        self._owner = services.host.ids.new("runner")
        self._held: dict[tuple[str, int], Attempt] = {}
        self._changed = asyncio.Event()
        self._hinted = True
        self._claiming = True
        self._away = False
        self._renewed_ms = 0
        self._pruned_ms = 0
        self._ahead_ms: float | None = None
        self._loop: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Starts the loop."""
        if self._alone:
            free = tasks.free_tasks_of_others(self._owner, now_ms=epoch_ms(self._clock))
            await self._store.execute(free)
        self._loop = asyncio.create_task(self._run(), name="hosting.tasks")

    def wake(self) -> None:
        """Something may be due."""
        self._changed.set()

    def cancel(self, task_id: str) -> None:
        """Cancels the handler of a task, if it runs here."""
        for attempt in self._held.values():
            if attempt.taken.id == task_id:
                attempt.stop("cancel")

    async def drain(self, timeout: float) -> None:
        """Ends the loop, once all that it holds has ended or was given back."""
        self._claiming = False
        self._changed.set()
        if self._loop is None:
            return
        await asyncio.wait([self._loop], timeout=timeout)
        for attempt in self._held.values():
            attempt.leave()
        await asyncio.wait([self._loop])

    async def _run(self) -> None:
        unsubscribe = self._subscribed()
        try:
            while self._claiming or self._held:
                self._changed.clear()
                await self._pause(await self._round())
        finally:
            unsubscribe()

    def _subscribed(self) -> Callable[[], None]:
        if isinstance(self._store, StoreSignals):
            return self._store.subscribe(TOPIC, self._changed)
        return lambda: None

    async def _pause(self, wait: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._changed.wait()
            self._hinted = True

    async def _round(self) -> float | None:
        """Looks after what is held, claims what is due; returns the seconds until the next round is needed."""
        now = epoch_ms(self._clock)
        try:
            if self._held and not self._alone:
                await self._look_after(now)
            await self._notice_set_back(now)
            due = await self._claim(now)
            await self._prune(now)
        except StateConflict:  # another runner claimed of the same key at the same moment
            self._changed.set()
            return None
        except Exception as error:
            self._missed(now, error)
            return _TRY_AGAIN
        if self._away:
            self._away = False
            self._log.warning("the durable tasks go on")
        return self._wait(now, due)

    async def _look_after(self, now: int) -> None:
        """Renews the leases at a third of their time; notices cancelled tasks each time."""
        if not self._renewal_due(now):
            (rows,) = await self._store.execute(tasks.load_tasks_to_cancel(self._owner))
            for asked in tasks.read_held(rows):
                if attempt := self._held.get((asked.id, asked.fence)):
                    attempt.stop("cancel")
            return
        before = dict(self._held)
        until = self._lease_until(now)
        (rows,) = await self._store.execute(tasks.renew_tasks(self._owner, lease_until_ms=until))
        self._renewed_ms = now
        renewed = {(held.id, held.fence): held for held in tasks.read_held(rows)}
        for key, attempt in before.items():
            held = renewed.pop(key, None)
            if held is None:
                attempt.stop("lost")
                continue
            attempt.lease_until_ms = until
            if held.cancel_requested:
                attempt.stop("cancel")
        for unknown in renewed.values():  # claimed by a unit whose answer did not arrive
            await self._give_back(unknown)

    async def _notice_set_back(self, now: int) -> None:
        """What waits for a time that the wall clock told before it was set back would wait for that much longer."""
        ahead = now - self._clock.monotonic() * 1000
        if self._ahead_ms is None or ahead < self._ahead_ms - tasks.SET_BACK_MS:
            await self._store.execute(tasks.bring_tasks_forward(now_ms=now))
        self._ahead_ms = ahead

    async def _claim(self, now: int) -> int | None:
        """Claims what is due, as far as there is room; returns when the next task is due, None if there is no need."""
        room = self._settings.concurrency - len(self._held) if self._claiming else 0
        if room <= 0:
            return None
        if not self._hinted:
            due = tasks.read_due_ms((await self._store.execute(tasks.next_due_task()))[0])
            if due is None or due > now:
                return due
        until = self._lease_until(now)
        buried, taken, next_due = await self._store.execute(
            tasks.bury_tasks(now_ms=now, expires_ms=now + self._services.keep_ms),
            tasks.take_tasks(self._owner, now_ms=now, lease_until_ms=until, limit=room),
            tasks.next_due_task(),
        )
        self._hinted = False
        for dead in tasks.read_buried(buried):
            report_buried(self._log, dead.id, dead.name, dead.state, dead.attempts)
        for task in tasks.read_taken(taken):
            if self._claiming:
                self._start(task, until)
            else:
                await self._give_back(task)
        return tasks.read_due_ms(next_due)

    def _start(self, taken: TakenTask, lease_until_ms: int) -> None:
        for other in self._held.values():
            if other.taken.id == taken.id:
                other.stop("lost")
        if not self._held:
            self._renewed_ms = epoch_ms(self._clock)
        attempt = Attempt(taken, lease_until_ms, self._services)
        key = (taken.id, taken.fence)
        self._held[key] = attempt
        work = asyncio.create_task(attempt.run(), name=f"hosting.tasks.{taken.id}")

        def ended(_: asyncio.Task[None]) -> None:
            del self._held[key]
            self._changed.set()

        work.add_done_callback(ended)

    async def _give_back(self, task: TakenTask | HeldTask) -> None:
        now = epoch_ms(self._clock)
        with suppress(StateConflict):
            await self._store.execute(
                tasks.give_back_task(task.id, task.fence, now_ms=now, expires_ms=now + self._services.keep_ms)
            )

    async def _prune(self, now: int) -> None:
        if not self._claiming or now < self._pruned_ms + _PRUNE_EVERY_MS:
            return
        (gone,) = await self._store.execute(tasks.expire_tasks(now, _PRUNED_AT_ONCE))
        if len(gone) < _PRUNED_AT_ONCE:
            self._pruned_ms = now

    def _lease_until(self, now: int) -> int:
        return _FOR_GOOD_MS if self._alone else now + self._settings.lease_ms

    def _renewal_due(self, now: int) -> bool:
        return not self._renewed_ms <= now < self._renewed_ms + self._settings.lease_ms // 3

    def _missed(self, now: int, error: Exception) -> None:
        """The store is away: what could not be renewed in time is given up, for another runner may have it."""
        if not self._away:
            self._away = True
            told = None if isinstance(error, StateUnavailable) else error
            self._log.warning("the durable tasks wait for the state store: %s", error, exc_info=told)
        for attempt in self._held.values():
            if now >= attempt.lease_until_ms:
                attempt.stop("lost")

    def _wait(self, now: int, due: int | None) -> float | None:
        waits: list[float] = []
        if self._settings.poll is not None:
            waits.append(self._settings.poll)
            if self._held and not self._alone:
                waits.append((self._renewed_ms + self._settings.lease_ms // 3 - now) / 1000)
        if due is not None and now < due < _FOR_GOOD_MS:
            waits.append((due - now) / 1000)
        elif due is not None and due <= now and not (self._alone and self._held):
            waits.append(_BLOCKED)
        return max(min(waits), 0.001) if waits else None
