"""Stores that behave as stores in production do, in ways a test can count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
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


class AnswersLate(ThreadedStore):
    """Keeps the answers to some units to itself until it is told to give them.

    Args:
        when: Whether a unit with these rows is one of them.

    Attributes:
        kept: One of them was kept.
        answer: Set to have them answered.
    """

    def __init__(self, when: Callable[[Sequence[Statement], Any], bool]) -> None:
        super().__init__()
        self.kept = asyncio.Event()
        self.answer = asyncio.Event()
        self._when = when

    async def execute(self, *unit: Statement) -> Any:
        rows = await super().execute(*unit)
        if self._when(unit, rows):
            self.kept.set()
            await self.answer.wait()
        return rows


def memory(path: Path) -> InMemoryHostStateStore:
    return InMemoryHostStateStore()


def threaded(path: Path) -> ThreadedStore:
    return ThreadedStore()


def sqlite(path: Path) -> SqliteHostStateStore:
    return SqliteHostStateStore(path / "hosting.db")
