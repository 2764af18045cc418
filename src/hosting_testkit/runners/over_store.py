"""The embedded runner over any state store, as a back end of the suite."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence

from hosting import HostStateStore, RandomIds, SystemTime, TimeSource
from hosting.durable import DurableTaskRunner, InProcessTaskRunner, RunnerServices, TaskHandle
from hosting.state import Rows, Statement, StateUnavailable
from hosting.state.signals import StoreSignals

from ..clock import VirtualClock, VirtualLoop
from .harness import RunnerHarness

_POLL = 0.05


class StoreHarness(RunnerHarness):
    """Runners that share one store, each with a line of its own that can be cut.

    Args:
        store: The store; opened and closed by the suite.
        victim: As `RunnerHarness.victim`.
    """

    def __init__(self, store: HostStateStore, *, victim: Sequence[str] | None = None) -> None:
        super().__init__()
        self._shared = store
        self._victim = victim
        self._lines: dict[int, Line] = {}
        self._clock: TimeSource = SystemTime()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            self._clock = VirtualClock().bind(loop)
        await self._shared.open()

    async def close(self) -> None:
        await self._shared.close()

    def make(self, *, concurrency: int = 4, lease: float | None = None) -> DurableTaskRunner:
        runner = InProcessTaskRunner(concurrency=concurrency, lease=lease or self.lease, poll=_POLL)
        self.bind(runner)
        return runner

    def bind(self, runner: DurableTaskRunner, store: HostStateStore | None = None) -> None:
        """Binds a runner to a line of its own into the store, or into `store`, which leads there."""
        line = line_to(store or self._shared)
        self._lines[id(runner)] = line
        runner.bind(RunnerServices(store=line, clock=self._clock, ids=RandomIds(), logger=self.logger))

    def store_of(self, runner: DurableTaskRunner) -> HostStateStore | None:
        return self._lines[id(runner)]

    async def sever(self, runner: DurableTaskRunner) -> None:
        self._lines[id(runner)].cut = True

    async def heal(self, runner: DurableTaskRunner) -> None:
        self._lines[id(runner)].cut = False

    async def schedule_damaged(self, runner: DurableTaskRunner, name: str, key: str) -> TaskHandle | None:
        planned = runner.plan(name, "secret words", key=key)
        damaged = [_damaged(statement) for statement in planned.statements]
        await self._lines[id(runner)].execute(*damaged)
        runner.wake()
        return planned.handle

    def victim(self) -> Sequence[str] | None:
        return self._victim


class Line:
    """A store as one runner sees it: as long as it is cut, nothing goes through.

    Args:
        store: Where it leads.
    """

    def __init__(self, store: HostStateStore) -> None:
        self._store = store
        self.cut = False

    @property
    def durable(self) -> bool:
        return self._store.durable

    @property
    def inline(self) -> bool:
        return self._store.inline

    def describe(self) -> str:
        return self._store.describe()

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        return

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self.cut:
            raise StateUnavailable("the line is cut")
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            return await self._store.execute(*unit)
        with loop.outside(self._store.describe()):
            return await self._store.execute(*unit)


class SignallingLine(Line):
    """A line into a store that wakes those who wait."""

    def __init__(self, store: HostStateStore, signals: StoreSignals) -> None:
        super().__init__(store)
        self._signals = signals

    @property
    def signals_between_processes(self) -> bool:
        return self._signals.signals_between_processes

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return self._signals.subscribe(topic, event)


def line_to(store: HostStateStore) -> Line:
    """A line into `store`, with signals if it has them."""
    return SignallingLine(store, store) if isinstance(store, StoreSignals) else Line(store)


def _damaged(statement: Statement) -> Statement:
    if "payload" not in statement.params:
        return statement
    return dataclasses.replace(statement, params={**statement.params, "payload": '{"secret words'})
