"""A store that is away for moments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from hosting.state import HostStateStore, Rows, Statement, StateUnavailable
from hosting.state.signals import StoreSignals

EVERY = 10_000
"""Units between two moments."""

_AWAY = 0.3
"""Seconds of a moment."""


class AwayStore:
    """Another store, out of reach after every so many units for a moment.

    Args:
        store: Keeps the state.

    Attributes:
        steady: While it is set the store stays within reach.
        refused: Units that it refused.
    """

    def __init__(self, store: HostStateStore) -> None:
        self.steady = False
        self.refused = 0
        self.inline = store.inline
        self.durable = store.durable
        self.exclusive: bool = getattr(store, "exclusive", False)
        self.signals_between_processes = isinstance(store, StoreSignals) and store.signals_between_processes
        self._store = store
        self._units = 0
        self._back = 0.0

    def describe(self) -> str:
        return self._store.describe()

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        await self._store.close()

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        store = self._store
        return store.subscribe(topic, event) if isinstance(store, StoreSignals) else lambda: None

    def companion(self) -> HostStateStore:
        """The same state over another connection, where the store has one; within reach."""
        companion: Callable[[], HostStateStore] | None = getattr(self._store, "companion", None)
        return self._store if companion is None else companion()

    async def execute(self, *unit: Statement) -> list[Rows]:
        self._units += 1
        if self._units % EVERY == 0:
            self._back = time.monotonic() + _AWAY
        if time.monotonic() < self._back and not self.steady:
            self.refused += 1
            raise StateUnavailable("the store is away for a moment, as the benchmark asked")
        return await self._store.execute(*unit)
