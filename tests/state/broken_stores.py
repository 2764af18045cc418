"""Stores that break one promise each. The suite must find every one of them, and each check of the suite finds at least one."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hosting import HostStateStore, InMemoryHostStateStore
from hosting.state import Rows, StateCorrupt, Statement, StateUnavailable, UnknownStatement
from hosting.state.schema import SCHEMA_VERSION
from hosting.state.signals import SIGNAL, StoreSignals, Wakers

Inner = HostStateStore


class Wrapped:
    """Does what the store inside does. A broken store changes one thing."""

    inline = False
    signals_between_processes = False

    def __init__(self, inner: Inner) -> None:
        self.inner = inner
        self.durable = inner.durable

    def describe(self) -> str:
        return self.inner.describe()

    async def open(self) -> None:
        await self.inner.open()

    async def close(self) -> None:
        await self.inner.close()

    async def execute(self, *unit: Statement) -> list[Rows]:
        return await self.inner.execute(*unit)

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        assert isinstance(self.inner, StoreSignals)
        return self.inner.subscribe(topic, event)


def changing(change: Callable[[Statement], Statement | None]) -> type[Wrapped]:
    """A store that runs other statements than it was given; None leaves one out."""

    class Changing(Wrapped):
        async def execute(self, *unit: Statement) -> list[Rows]:
            changed = [change(statement) for statement in unit]
            found = iter(await self.inner.execute(*(statement for statement in changed if statement)))
            return [next(found) if statement else [] for statement in changed]

    return Changing


def answering(answer: Callable[[Statement, Rows], Rows]) -> type[Wrapped]:
    """A store that gives other rows than it found."""

    class Answering(Wrapped):
        async def execute(self, *unit: Statement) -> list[Rows]:
            found = await self.inner.execute(*unit)
            return [answer(statement, rows) for statement, rows in zip(unit, found, strict=True)]

    return Answering


def storing(store: Callable[[Any], Any]) -> type[Wrapped]:
    """A store that keeps other values than it was given."""
    return changing(
        lambda each: replace(each, params={name: store(value) for name, value in each.params.items()})
    )


class RunsBackwards(Wrapped):
    async def execute(self, *unit: Statement) -> list[Rows]:
        return (await self.inner.execute(*reversed(unit)))[::-1]


class OneByOne(Wrapped):
    """Each statement in a transaction of its own."""

    async def execute(self, *unit: Statement) -> list[Rows]:
        found: list[Rows] = []
        for statement in unit:
            await asyncio.sleep(0)
            found += await self.inner.execute(statement)
        return found or await self.inner.execute()


class ReadsOneByOne(OneByOne):
    async def execute(self, *unit: Statement) -> list[Rows]:
        if any(".get" not in statement.name for statement in unit):
            return await self.inner.execute(*unit)
        return await super().execute(*unit)


class SkipsUnknown(Wrapped):
    async def execute(self, *unit: Statement) -> list[Rows]:
        try:
            return await self.inner.execute(*unit)
        except UnknownStatement:
            return await self.inner.execute(*(each for each in unit if "nonsense" not in each.name))


class FailsTogether(Wrapped):
    """Units that wait at the same time share their fate."""

    def __init__(self, inner: Inner) -> None:
        super().__init__(inner)
        self._batch: list[Statement] = []
        self._result: asyncio.Task[list[Rows]] | None = None

    async def execute(self, *unit: Statement) -> list[Rows]:
        begin = len(self._batch)
        self._batch += unit
        if self._result is None:
            self._result = asyncio.create_task(self._all())
        return (await asyncio.shield(self._result))[begin : begin + len(unit)]

    async def _all(self) -> list[Rows]:
        await asyncio.sleep(0)
        batch, self._batch, self._result = self._batch, [], None
        return await self.inner.execute(*batch)


class KeepsTheFirst(Wrapped):
    """What is there is not replaced."""

    async def execute(self, *unit: Statement) -> list[Rows]:
        kept = [replace(each, name="records.add") if each.name == "records.put" else each for each in unit]
        return [
            [] if each.name == "records.put" else rows
            for each, rows in zip(unit, await self.inner.execute(*kept), strict=True)
        ]


class CutsLongUnits(Wrapped):
    async def execute(self, *unit: Statement) -> list[Rows]:
        found = await self.inner.execute(*unit[:4])
        return found + [[] for _ in unit[4:]]


class RemembersReads(Wrapped):
    """What was read once is read so for ever."""

    def __init__(self, inner: Inner) -> None:
        super().__init__(inner)
        self._read: dict[str, list[Rows]] = {}

    async def execute(self, *unit: Statement) -> list[Rows]:
        if len(unit) != 1 or not unit[0].name.endswith((".load_by_id", ".scan_up", ".get")):
            return await self.inner.execute(*unit)
        key = repr(unit)
        if key not in self._read:
            self._read[key] = await self.inner.execute(*unit)
        return self._read[key]


class TakesTwice(Wrapped):
    """Gives what one taker got to the next one too."""

    def __init__(self, inner: Inner) -> None:
        super().__init__(inner)
        self._last: list[Rows] = []

    async def execute(self, *unit: Statement) -> list[Rows]:
        if len(unit) != 1 or unit[0].name != "events.take":
            return await self.inner.execute(*unit)
        again, self._last = self._last, []
        if again:
            return again
        found = await self.inner.execute(*unit)
        self._last = found if found[0] else []
        return found


class OpensByItself(Wrapped):
    async def execute(self, *unit: Statement) -> list[Rows]:
        await self.inner.open()
        return await self.inner.execute(*unit)


class ClosesOnce(Wrapped):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("already closed")
        self.closed = True
        await self.inner.close()


class LeavesATask(Wrapped):
    async def open(self) -> None:
        await self.inner.open()
        self._task = asyncio.create_task(asyncio.Event().wait())


class LeavesAThread(Wrapped):
    async def open(self) -> None:
        await self.inner.open()
        stop = threading.Event()
        threading.Thread(target=stop.wait, args=[5], daemon=True).start()


class DropsWhatWaits(Wrapped):
    closed = False

    async def close(self) -> None:
        self.closed = True
        await self.inner.close()

    async def execute(self, *unit: Statement) -> list[Rows]:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await self.inner.execute(*unit)


class SuffersCancellation(Wrapped):
    broken = False

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self.broken:
            raise StateUnavailable("broken")
        try:
            await asyncio.sleep(0)
            return await self.inner.execute(*unit)
        except asyncio.CancelledError:
            self.broken = True
            raise


class OneLoop(Wrapped):
    async def open(self) -> None:
        await self.inner.open()
        self.loop = asyncio.get_running_loop()

    async def execute(self, *unit: Statement) -> list[Rows]:
        if asyncio.get_running_loop() is not getattr(self, "loop", asyncio.get_running_loop()):
            raise RuntimeError("attached to a different loop")
        return await self.inner.execute(*unit)


class SaysItIsDurable(Wrapped):
    def __init__(self, inner: Inner) -> None:
        super().__init__(InMemoryHostStateStore())
        self.durable = True


class WritesLater(Wrapped):
    """Acknowledges units, and writes them when it is closed."""

    def __init__(self, inner: Inner) -> None:
        super().__init__(inner)
        self._later: list[Sequence[Statement]] = []

    async def close(self) -> None:
        with suppress(StateUnavailable):
            for unit in self._later:
                await self.inner.execute(*unit)
        self._later = []
        await self.inner.close()

    async def execute(self, *unit: Statement) -> list[Rows]:
        if all(each.name == "records.put" for each in unit):
            self._later.append(unit)
            return [[] for _ in unit]
        return await self.inner.execute(*unit)


class NeverSignals(Wrapped):
    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return lambda: None


class SignalsBefore(Wrapped):
    """Wakes before the unit is kept."""

    def __init__(self, inner: Inner) -> None:
        super().__init__(inner)
        self._wakers = Wakers()

    async def execute(self, *unit: Statement) -> list[Rows]:
        self._wakers.wake_for(unit)
        return await self.inner.execute(*unit)

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return self._wakers.subscribe(topic, event)


class SignalsEveryone(SignalsBefore):
    async def execute(self, *unit: Statement) -> list[Rows]:
        found = await self.inner.execute(*unit)
        if any(each.name == SIGNAL for each in unit):
            self._wakers.wake_all()
        return found


class RaisesWhatItGets(Wrapped):
    async def execute(self, *unit: Statement) -> list[Rows]:
        try:
            return await self.inner.execute(*unit)
        except StateUnavailable as error:
            raise OSError(str(error)) from error


class NeverComesBack(Wrapped):
    gone = False

    async def execute(self, *unit: Statement) -> list[Rows]:
        try:
            if self.gone:
                raise StateUnavailable("gone")
            return await self.inner.execute(*unit)
        except StateUnavailable:
            self.gone = True
            raise


class OpensNewer(Wrapped):
    async def open(self) -> None:
        set_version(file_of(self.inner), SCHEMA_VERSION)
        await self.inner.open()


class ReplacesDamaged(Wrapped):
    async def open(self) -> None:
        try:
            await self.inner.open()
        except StateCorrupt:
            file_of(self.inner).unlink()
            await self.inner.open()


class TouchesWhatItRefuses(Wrapped):
    async def open(self) -> None:
        try:
            await self.inner.open()
        except StateCorrupt:
            lengthen(file_of(self.inner))
            raise


def file_of(store: Inner) -> Path:
    return vars(store)["_path"]


def set_version(path: Path, version: int) -> None:
    if path.exists():
        with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.Error):
            connection.execute("UPDATE schema_version SET version = ?", [version])
            connection.commit()


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
