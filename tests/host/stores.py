"""Stores that behave as stores in production do, in ways a test can count."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hosting import InMemoryHostStateStore, SqliteHostStateStore
from hosting.state import Statement


class ThreadedStore(InMemoryHostStateStore):
    """Like a store on a thread, in steps that a test can count: who waits can be cancelled, the unit cannot."""

    inline = False

    async def execute(self, *unit: Statement) -> Any:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = loop.create_future()
        work = InMemoryHostStateStore.execute(self, *unit)

        def settle() -> None:
            try:
                work.send(None)
            except StopIteration as done:
                if not waiter.done():
                    waiter.set_result(done.value)
            except Exception as error:
                if not waiter.done():
                    waiter.set_exception(error)

        loop.call_soon(loop.call_soon, settle)
        return await waiter


def memory(path: Path) -> InMemoryHostStateStore:
    return InMemoryHostStateStore()


def threaded(path: Path) -> ThreadedStore:
    return ThreadedStore()


def sqlite(path: Path) -> SqliteHostStateStore:
    return SqliteHostStateStore(path / "hosting.db")
