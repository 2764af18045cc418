"""The store of tests and of hosts that were given none: the same SQL, in memory (contract 15.1)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from .base import Rows, Statement
from .database import Database, connect
from .errors import StateUnavailable
from .signals import Wakers


class InMemoryHostStateStore:
    """Keeps the host's state in this process until it is closed.

    A unit takes microseconds, so it runs where it is called, without a thread.
    """

    durable = False
    inline = True
    signals_between_processes = False

    def __init__(self) -> None:
        self._database: Database | None = None
        self._wakers = Wakers()
        self._turnstile = threading.Lock()  # hosts on loops of several threads may share one store

    def describe(self) -> str:
        return "memory (nothing survives a restart)"

    async def open(self) -> None:
        if self._database is None:
            database = Database(connect(":memory:", busy_timeout=0.0), "memory")
            database.command("PRAGMA foreign_keys = ON")
            database.migrate()
            self._database = database

    async def close(self) -> None:
        with self._turnstile:
            database, self._database = self._database, None
        if database is not None:
            database.close()

    async def execute(self, *unit: Statement) -> list[Rows]:
        with self._turnstile:
            if self._database is None:
                raise StateUnavailable("the state store is not open: call `await store.open()` first")
            rows = self._database.run(unit)
        self._wakers.wake_for(unit)
        return rows

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return self._wakers.subscribe(topic, event)
