"""The thread that owns a SQLite connection, and its group commit.

Whatever waits when a commit ends goes into the next one together: a lone unit commits at once, and under load one
fsync serves up to 128 units. Each unit runs in a savepoint, so one that fails takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from .base import Rows
from .database import Database, Unit
from .errors import StateUnavailable

_LARGEST_BATCH = 128

_Waiter = asyncio.Future[list[Rows]]
_Outcome = list[Rows] | Exception


class _Job(NamedTuple):
    unit: Unit
    loop: asyncio.AbstractEventLoop
    waiter: _Waiter


class WriterThread:
    """Runs units on a database of its own thread, for callers of any event loop.

    Args:
        open_database: Called once, on the thread.
    """

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open_database = open_database
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = False
        self._gate = threading.Lock()
        self._opened: Future[None] = _uncancellable()
        self._ended: Future[None] = _uncancellable()
        # A daemon: a host that was never closed must not hold the interpreter; what was committed is on disk.
        self._thread = threading.Thread(target=self._work, name="hosting-state", daemon=True)
        self._thread.start()

    async def opened(self) -> None:
        """Waits until the database is open; raises what opening it raised."""
        await asyncio.wrap_future(self._opened)

    async def run(self, unit: Unit) -> list[Rows]:
        """Queues a unit and waits for its commit."""
        loop = asyncio.get_running_loop()
        waiter: _Waiter = loop.create_future()
        with self._gate:
            if self._closing:
                raise StateUnavailable("the state store is closed")
            self._jobs.put(_Job(unit, loop, waiter))
        return await waiter

    async def close(self) -> None:
        """Takes no more units, finishes those that wait, closes the database and ends the thread."""
        with self._gate:
            if not self._closing:
                self._closing = True
                self._jobs.put(None)
        await asyncio.wrap_future(self._ended)
        self._thread.join()

    def _work(self) -> None:
        try:
            database = self._open_database()
        except Exception as error:
            self._refuse_all()
            self._opened.set_exception(error)
            self._ended.set_result(None)
            return
        self._opened.set_result(None)
        try:
            with closing(database):
                while batch := self._next_batch():
                    _settle(batch, _commit(database, batch))
        finally:
            self._ended.set_result(None)

    def _next_batch(self) -> list[_Job]:
        """The units that wait, at least one; none once the thread shall end."""
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) == _LARGEST_BATCH:
                return batch
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return batch
        if batch:
            self._jobs.put(None)  # the end was behind them: see it again next time
        return batch

    def _refuse_all(self) -> None:
        with self._gate:
            self._closing = True
            self._jobs.put(None)
        while batch := self._next_batch():
            _settle(batch, [StateUnavailable("the state store could not be opened") for _ in batch])


def _commit(database: Database, batch: Sequence[_Job]) -> Sequence[_Outcome]:
    try:
        if len(batch) == 1:
            return [database.run(batch[0].unit)]
        return database.run_batch([job.unit for job in batch])
    except Exception as error:
        return [error for _ in batch]


def _settle(batch: Sequence[_Job], outcomes: Sequence[_Outcome]) -> None:
    """Wakes each loop once, with all that it waits for."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[tuple[_Waiter, _Outcome]]] = defaultdict(list)
    for job, outcome in zip(batch, outcomes, strict=True):
        by_loop[job.loop].append((job.waiter, outcome))
    for loop, settled in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed and nobody waits any more
            loop.call_soon_threadsafe(_deliver, settled)


def _deliver(settled: Sequence[tuple[_Waiter, _Outcome]]) -> None:
    for waiter, outcome in settled:
        if waiter.done():  # its caller was cancelled
            continue
        if isinstance(outcome, Exception):
            waiter.set_exception(outcome)
        else:
            waiter.set_result(outcome)


def _uncancellable() -> Future[None]:
    """A future that one cancelled waiter cannot take away from the others."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    return future
