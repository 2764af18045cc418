"""An asyncio event loop whose time is virtual: when every task waits, it jumps to the next timer.

No real time passes, except while work that the loop cannot see is in flight: jobs of `run_in_executor` and of
`anyio.to_thread` are tracked by themselves, other threads are named by `outside` or `watch_outside`. The loop then
blocks for real, and virtual time stands still. Sockets are polled, never waited for: use a real loop for those.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple

from .suspension import suspended_at

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_RESOLUTION = 1e-9  # seconds
_Events = list[tuple[selectors.SelectorKey, int]]


class DeadlockError(AssertionError):
    """Every task is blocked, no timer is pending and no work outside the loop is in flight."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`patience` is the real time, in seconds, that work outside the loop may take before it counts as hung.

    Attributes:
        waits_outside: Whether it blocks for real just now, until such work is done.
        advanced: How many of its seconds `advance` skipped.
    """

    def __init__(self, *, patience: float = 30.0) -> None:
        self._virtual_time = 0.0
        self._patience = patience
        self._outside: list[str] = []
        self._watches: list[Callable[[], bool]] = []
        self._turn_watches: list[Callable[[], None]] = []
        self.waits_outside = False
        self.advanced = 0.0
        super().__init__(_IdleSelector(self._turn, self._idle))
        self._move_to(0.0)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_time

    def advance(self, seconds: float) -> None:
        """Jump ahead as if the machine had been asleep; `await asyncio.sleep` lets timers fire one by one."""
        if seconds < 0:
            raise ValueError(f"advance({seconds}): time runs forward, expected seconds >= 0")
        self.advanced += seconds
        self._move_to(self._virtual_time + seconds)

    @contextmanager
    def outside(self, what: str) -> Generator[None]:
        """While the block runs, `what` (a thread) may wake the loop, so idleness is no deadlock."""
        self._outside.append(what)
        try:
            yield
        finally:
            self._outside.remove(what)

    def watch_outside(self, busy: Callable[[], bool]) -> None:
        """Ask `busy` whenever the loop is idle; true means that a thread is going to wake it."""
        self._watches.append(busy)

    def watch_turns(self, watch: Callable[[], None]) -> None:
        """Call `watch` each time round the loop, between callbacks; what it raises ends the run."""
        self._turn_watches.append(watch)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As on every loop; the job counts as work outside until its future is done."""
        future = super().run_in_executor(executor, func, *args)
        job = f"run_in_executor({getattr(func, '__qualname__', func)})"
        self._outside.append(job)
        future.add_done_callback(lambda _: self._outside.remove(job))
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As on every loop; the joining thread counts as work outside."""
        with self.outside("shutdown_default_executor"):
            await super().shutdown_default_executor()

    def _turn(self) -> None:
        for watch in self._turn_watches:
            watch()

    def _idle(self, timeout: float | None, wait: Callable[[float], _Events]) -> _Events:
        if self._busy_outside():
            return self._wait_outside(wait)
        if timeout is None:
            raise DeadlockError(self._describe("every task is blocked and no timer is pending"))
        self._move_to(max(self._virtual_time + timeout, math.nextafter(self._virtual_time, math.inf)))
        return []

    def _move_to(self, seconds: float) -> None:
        """asyncio fires what is due before the time plus the clock's resolution; after half a year that sum is no later."""
        self._virtual_time = seconds
        self._clock_resolution = max(_RESOLUTION, math.ulp(seconds))

    def _busy_outside(self) -> bool:
        return bool(self._outside) or any(busy() for busy in self._watches)

    def _wait_outside(self, wait: Callable[[float], _Events]) -> _Events:
        deadline = time.monotonic() + self._patience
        self.waits_outside = True
        try:
            while self._busy_outside():
                if events := wait(0.05):
                    return events
                if time.monotonic() > deadline:
                    work = ", ".join(self._outside) or "a watched thread"
                    raise DeadlockError(
                        self._describe(f"{work} did not finish in {self._patience} real seconds")
                    )
            return wait(0)
        finally:
            self.waits_outside = False

    def _describe(self, what: str) -> str:
        lines = [f"at virtual time {self._virtual_time:g} s {what}"]
        tasks = asyncio.all_tasks(self)
        for task in sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name())):
            lines.append(f"  task {task.get_name()!r}")
            lines.extend(f"    {position}" for position in suspended_at(task))
        lines.append(
            "If a thread was going to wake the loop, say so with VirtualLoop.outside or watch_outside."
        )
        return "\n".join(lines)


class _IdleSelector(selectors.DefaultSelector):
    """Never blocks: calls `turn` each time, and asks `idle` what to do when nothing is ready."""

    def __init__(
        self,
        turn: Callable[[], None],
        idle: Callable[[float | None, Callable[[float], _Events]], _Events],
    ) -> None:
        super().__init__()
        self._on_turn = turn
        self._on_idle = idle

    def select(self, timeout: float | None = None) -> _Events:
        self._on_turn()
        events = super().select(0)
        if events or timeout == 0:
            return events
        return self._on_idle(timeout, super().select)
