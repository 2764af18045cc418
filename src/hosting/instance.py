"""This host among others on the same store: alive while its lease is renewed (contract 4.3, 6.7; decision S3).

What a host takes (an event, a delivery, a session, a claimed key) names it as the owner. One lease for all of that costs
one small write every few seconds, however many turns run; each thing has its own fence besides, so a host that was slow
to notice its end changes nothing any more.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from .clock import SystemTime, TimeSource, epoch_ms
from .state.base import HostStateStore
from .state.tables import instances

LEASE = 15.0
"""Seconds that others wait before they take over what a silent host held."""

RENEWAL = 5.0
"""Seconds between two renewals."""

PATIENCE = 10.0
"""Seconds without a renewal after which a host gives up its turns by itself (contract 6.7: two thirds)."""

_ANSWER = 3.0
"""Seconds in which the store has to answer."""

_AGAIN = 1.0
"""Seconds until a renewal that failed is tried again."""

_SKEW_MS = 2_000
"""Clocks of machines on one store may differ by as much."""

_FOR_GOOD = 2**53


class Instance:
    """Keeps this host's lease.

    A store that no other process can see needs none: there the host counts as alive until it leaves. Otherwise the
    lease is renewed by a thread of its own, so that a tool that blocks the event loop does not lose it; under another
    clock than the machine's, by a task.

    Args:
        store: Where the lease is.
        id: This host, for as long as the process lives.
        clock: For the lease.
        logger: Told of a lease that was lost.
        lost: Called in the loop when the lease could not be renewed in time: gives up what runs.
    """

    def __init__(
        self,
        store: HostStateStore,
        *,
        id: str,
        clock: TimeSource,
        logger: logging.Logger,
        lost: Callable[[], None],
    ) -> None:
        self.id = id
        self._store = store
        self._clock = clock
        self._log = logger
        self._lost = lost
        self._kept = 0.0
        self._alive = True
        self._answered = True
        self._ahead: dict[str, tuple[int, float]] = {}

    @property
    def answered(self) -> bool:
        """Whether the store took the last renewal: one that can be read may still be full, or read only."""
        return self._answered

    async def begin(self) -> None:
        """Enters the store; one that has the store to itself takes over from whoever was there before, at once."""
        await self._keep(self._store)
        if is_exclusive(self._store):
            await self._store.execute(instances.leave_all_but(self.id))

    async def leave(self) -> None:
        """What is still held is free at once."""
        await self._store.execute(instances.leave_instance(self.id))

    async def run(self) -> None:
        """Renews the lease until cancelled."""
        if not self._store.durable:
            await asyncio.Event().wait()
        if not isinstance(self._clock, SystemTime):
            await self._keep_on(self._store, asyncio.sleep, self._lost)
        await self._keep_on_in_thread()

    async def _keep_on_in_thread(self) -> None:
        loop, stop = asyncio.get_running_loop(), threading.Event()

        async def pause(seconds: float) -> None:
            if stop.wait(seconds):
                raise asyncio.CancelledError

        def lost() -> None:
            loop.call_soon_threadsafe(self._lost)

        async def keep() -> None:
            companion = companion_of(self._store)
            try:
                await self._keep_on(companion, pause, lost)
            finally:
                if companion is not self._store:
                    await companion.close()

        def work() -> None:
            try:
                asyncio.run(keep())
            except asyncio.CancelledError:
                return

        thread = threading.Thread(target=work, name="hosting-lease", daemon=True)
        thread.start()
        try:
            await asyncio.Event().wait()
        finally:
            stop.set()
            while thread.is_alive():  # it may be in the middle of a write
                await asyncio.to_thread(thread.join)

    async def _keep_on(
        self, store: HostStateStore, pause: Callable[[float], Awaitable[None]], lost: Callable[[], None]
    ) -> None:
        while True:
            await pause(RENEWAL if self._answered else _AGAIN)
            try:
                async with asyncio.timeout(_ANSWER):
                    if store is not self._store:
                        await store.open()
                    await self._keep(store)
            except Exception as error:
                self._missed(error, lost)

    async def _keep(self, store: HostStateStore) -> None:
        begun = self._clock.monotonic()
        now = epoch_ms(self._clock)
        until = now + int(LEASE * 1000) if store.durable else _FOR_GOOD
        _, ahead = await store.execute(
            instances.keep_instance(self.id, now_ms=now, until_ms=until),
            instances.load_ahead(self.id, after_ms=until + _SKEW_MS),
        )
        await self._bury_unrenewed(store, instances.read_leases(ahead), begun)
        self._kept, self._answered = begun, True
        if not self._alive:
            self._alive = True
            self._log.warning("the state store answers again")

    async def _bury_unrenewed(self, store: HostStateStore, ahead: dict[str, int], now: float) -> None:
        """A lease that lies far ahead was given by a clock that was set back since. One that nobody renews is over."""
        seen = {id: self._ahead.get(id, (until, now)) for id, until in ahead.items()}
        self._ahead = {id: kept if kept[0] == ahead[id] else (ahead[id], now) for id, kept in seen.items()}
        for id, (until, since) in self._ahead.items():
            if now - since >= LEASE:
                self._log.warning(
                    "host %s has not renewed its lease, which a clock set back made too long", id
                )
                await store.execute(instances.leave_unrenewed(id, until))

    def _missed(self, error: Exception, lost: Callable[[], None]) -> None:
        self._answered = False
        if self._alive and self._clock.monotonic() - self._kept > PATIENCE:
            self._alive = False
            self._log.error(
                "the lease could not be renewed for %d s, so others may take over: the turns under way are given up (%s)",
                PATIENCE,
                error,
            )
            lost()


def is_exclusive(store: HostStateStore) -> bool:
    """Whether no other host can be on the store at the same time."""
    return bool(getattr(store, "exclusive", not store.durable))


def companion_of(store: HostStateStore) -> HostStateStore:
    """The same state, for another event loop; a store that serves any loop is its own companion."""
    companion: Callable[[], HostStateStore] | None = getattr(store, "companion", None)
    return store if companion is None else companion()
