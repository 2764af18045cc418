"""Takes expired rows away while the host is in use (contract 15.4)."""

from __future__ import annotations

import asyncio
import logging

from ..clock import TimeSource, epoch_ms
from .base import HostStateStore
from .expiry import sweep
from .tables import records

_EVERY = 60.0
"""Seconds between two sweeps at the least. A host that nobody uses does not sweep, and needs no timer for it."""

_NAMESPACE, _KEY = "hosting.sweep", "turn"
"""The record of whose turn it is: of several hosts on one store, one sweeps."""


class Sweeper:
    """One task of the host; turns nudge it.

    Args:
        store: What is swept.
        clock: Says what has expired, and when the last sweep was.
        logger: Told when a sweep failed; the next nudge tries again.
    """

    def __init__(self, store: HostStateStore, *, clock: TimeSource, logger: logging.Logger) -> None:
        self._store = store
        self._clock = clock
        self._log = logger
        self._wake = asyncio.Event()
        self._next = 0.0

    def nudge(self) -> None:
        """Sweeps soon, unless a sweep was less than a minute ago."""
        if self._clock.monotonic() >= self._next:
            self._wake.set()

    async def run(self) -> None:
        """Sweeps when nudged, in small batches, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._next = self._clock.monotonic() + _EVERY
            try:
                await self._sweep()
            except Exception:
                self._log.exception("expired rows could not be removed; trying again later")

    async def _sweep(self) -> None:
        now = epoch_ms(self._clock)
        mine = records.add_record(_NAMESPACE, _KEY, "1", now_ms=now, expires_ms=now + int(_EVERY * 1000))
        if not (await self._store.execute(mine))[0]:
            return
        removed = 1
        while removed:
            removed = await sweep(self._store, epoch_ms(self._clock))
            await asyncio.sleep(0)  # turns go first
