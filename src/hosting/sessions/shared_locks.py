"""One turn at a time per session across all hosts on a store, in the order in which they asked (contract 4.8, 6.7, 6.8).

Who finds a session busy gets a number in the store and waits to be woken; it also looks by itself, for wake-ups are best
effort and some stores have none between processes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..clock import TimeSource, epoch_ms
from ..errors import RateLimited, TurnInProgress
from ..limits import TurnPolicy
from ..state.base import HostStateStore, Rows, Statement
from ..state.errors import StateError
from ..state.settled import settled
from ..state.signals import StoreSignals, signal
from ..state.tables import cancels, locks
from .locks import Holder, around, nested_in
from .names import SessionName, joined

_LOOK = 0.25
"""Seconds between two looks of a waiter that nothing woke."""

_AGAIN = 1.0
"""Seconds until what could not be stored is tried again."""

_ASKED_FOR = 60_000
"""Milliseconds that a turn of another host is asked to make way."""


class SharedSessionLocks:
    """Locks that several hosts see.

    Args:
        store: Where the locks are.
        owner: This host; what it holds is free once it is gone.
        clock: Says who is gone.
        policy: What a turn does that finds its session busy.
        queue: Turns that may wait for one session.
    """

    def __init__(
        self, store: HostStateStore, *, owner: str, clock: TimeSource, policy: TurnPolicy, queue: int
    ) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._policy = policy
        self._queue = queue
        self._here: dict[SessionName, Holder] = {}
        self._owed: list[Sequence[Statement]] = []
        self._owes = asyncio.Event()

    def holder(self, name: SessionName) -> Holder | None:
        """Who runs in this session on this host."""
        return self._here.get(name)

    async def is_held(self, name: SessionName) -> bool:
        """Whether a turn runs in this session on any host."""
        found = await self._store.execute(locks.load_lock(*_pair(name), now_ms=epoch_ms(self._clock)))
        return bool(found[0])

    async def ask_to_end(self, name: SessionName) -> bool:
        """Asks the turn that runs in this session on another host to end; False if there is none."""
        found = await self._store.execute(locks.load_lock(*_pair(name), now_ms=epoch_ms(self._clock)))
        holders = locks.read_holders(found[0])
        if holders:
            await self._store.execute(*self._ask(holders, "cancelled"))
        return bool(holders)

    async def acquire(self, name: SessionName, holder: Holder, *, first: bool = False) -> None:
        """Waits for its turn.

        Raises:
            TurnInProgress: The policy is `reject`, or the turn was started inside a turn of the same session.
            RateLimited: Too many wait already.
        """
        here = self._here.get(name)
        if here is not None and nested_in(here):
            raise TurnInProgress(
                "This turn was started inside a turn of the same session, which cannot end before it."
            )
        try:
            if not await self._taken(name, holder):
                await self._wait(name, holder, first=first)
        except (asyncio.CancelledError, StateError):
            await self._give_way(name, holder)
            raise
        self._here[name] = holder
        around(holder)

    def release_with(self, name: SessionName, holder: Holder) -> Sequence[Statement]:
        """For the unit of a turn's end; it conflicts where the lock was lost, so that nothing is saved."""
        return (locks.release_lock(*_pair(name), holder.lock_id), signal(_topic(name)))

    def released(self, name: SessionName, holder: Holder) -> None:
        """The unit with `release_with` was committed."""
        if self._here.get(name) is holder:
            del self._here[name]

    async def release(self, name: SessionName, holder: Holder) -> None:
        """Hands the session to the next in line, where its end has not done so."""
        if self._here.get(name) is not holder:
            return
        del self._here[name]
        release = locks.release_lock(*_pair(name), holder.lock_id, held=False)
        await self._settle(release, signal(_topic(name)))

    async def _taken(self, name: SessionName, holder: Holder) -> bool:
        now = epoch_ms(self._clock)
        found: list[list[Rows]] = []
        unit = (
            locks.take_lock(*_pair(name), holder=holder.lock_id, owner=self._owner, now_ms=now),
            locks.stop_waiting_with_lock(holder.lock_id),
        )
        await settled(self._store, unit, found.append)
        return bool(found[0][0])

    async def _wait(self, name: SessionName, holder: Holder, *, first: bool) -> None:
        now = epoch_ms(self._clock)
        held, waiting = await self._store.execute(
            locks.load_lock(*_pair(name), now_ms=now), locks.load_waits(*_pair(name), now_ms=now)
        )
        if self._policy == "reject":
            raise TurnInProgress("The session has a turn in progress.", retry_after=1.0)
        if len(waiting) >= self._queue and not first:
            raise RateLimited("Too many turns wait for this session.", retry_after=1.0)
        unit = [locks.wait_for_lock(*_pair(name), holder=holder.lock_id, owner=self._owner, ahead=first)]
        if self._policy == "interrupt":
            unit += self._ask(locks.read_holders(held + waiting), "interrupted")
        await settled(self._store, unit, lambda _: None)
        await self._woken(name, holder)

    def _ask(self, holders: Sequence[locks.LockHolder], reason: str) -> list[Statement]:
        until = epoch_ms(self._clock) + _ASKED_FOR
        asked = [cancels.ask_to_cancel(other.holder, reason, until_ms=until) for other in holders]
        return [*asked, signal(cancels.TOPIC)]

    async def _woken(self, name: SessionName, holder: Holder) -> None:
        woken = asyncio.Event()
        end = _subscribed(self._store, _topic(name), woken)
        try:
            while True:
                woken.clear()
                if await self._taken(name, holder):
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await woken.wait()
        finally:
            end()

    async def _give_way(self, name: SessionName, holder: Holder) -> None:
        """Leaves the line, and the lock, should it have been given just now."""
        unit = (
            locks.stop_waiting(holder.lock_id),
            locks.release_lock(*_pair(name), holder.lock_id, held=False),
            signal(_topic(name)),
        )
        await self._settle(*unit)

    async def _settle(self, *unit: Statement) -> None:
        """What cannot be stored now is stored later, or is void once this host is gone."""
        try:
            await settled(self._store, unit, lambda _: None)
        except StateError:
            self._owed.append(unit)
            self._owes.set()

    async def run(self) -> None:
        """Lets go of what could not be let go of when it was time, until cancelled."""
        while True:
            await self._owes.wait()
            await asyncio.sleep(_AGAIN)
            while self._owed:
                await self._store.execute(*self._owed[0])
                del self._owed[0]
            self._owes.clear()


def _pair(name: SessionName) -> tuple[str, str]:
    return name.isolation_key, name.key


def _topic(name: SessionName) -> str:
    return "lock:" + hashlib.blake2b(joined(*_pair(name)).encode(), digest_size=16).hexdigest()


def _subscribed(store: HostStateStore, topic: str, event: asyncio.Event) -> Callable[[], None]:
    return store.subscribe(topic, event) if isinstance(store, StoreSignals) else lambda: None
