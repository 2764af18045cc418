"""Virtual time for tests: a clock that is moved by hand or by a `VirtualLoop`, and ways to run a test in one."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Self, TypeVar

import anyio.to_thread

from .virtual_loop import DeadlockError, VirtualLoop

__all__ = ["START", "DeadlockError", "VirtualClock", "VirtualLoop", "run_virtual", "virtual_time"]

P = ParamSpec("P")
T = TypeVar("T")

START = 1_767_225_600.0
"""Wall clock of a new `VirtualClock`, in epoch seconds: 2026-01-01T00:00:00Z."""


class VirtualClock:
    """A `TimeSource` that stands still until it is moved; the wall clock can be skewed, the monotonic one cannot."""

    def __init__(self, start: float = START) -> None:
        self._wall = start
        self._elapsed = 0.0
        self._loop: VirtualLoop | None = None

    def bind(self, loop: VirtualLoop | None = None) -> Self:
        """Move together with `loop` (the running one by default) from now on, without a jump."""
        found = loop or asyncio.get_running_loop()
        if not isinstance(found, VirtualLoop):
            raise TypeError(
                f"found {type(found).__name__}, expected VirtualLoop: run the test with run_virtual"
            )
        self._elapsed = self.monotonic() - found.time()
        self._loop = found
        return self

    def now(self) -> float:
        """Wall clock in epoch seconds, skew included."""
        return self._wall + self.monotonic()

    def monotonic(self) -> float:
        """Seconds since the clock was made; never runs backwards."""
        return self._elapsed + (self._loop.time() if self._loop else 0.0)

    def advance(self, seconds: float) -> None:
        """Let time pass, for the bound loop too; raises `ValueError` if `seconds` is negative."""
        if self._loop:
            self._loop.advance(seconds)
        elif seconds < 0:
            raise ValueError(f"advance({seconds}): time runs forward, expected seconds >= 0; see skew")
        else:
            self._elapsed += seconds

    def skew(self, seconds: float) -> None:
        """Set the wall clock ahead (or back, if negative) and leave the monotonic one alone."""
        self._wall += seconds


def run_virtual(main: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `main(*args, **kwargs)` to its end in a fresh `VirtualLoop` and give its result.

    Raises:
        DeadlockError: if it can never end; lists every task with the place where it waits.
    """

    async def watched() -> T:
        limiter = anyio.to_thread.current_default_thread_limiter()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.watch_outside(lambda: limiter.borrowed_tokens > 0 or _works_for(loop))
        return await main(*args, **kwargs)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(watched())


def _works_for(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a worker thread of anyio has a job of `loop`; libraries give such jobs limiters of their own."""
    workers: list[Any] = [thread for thread in threading.enumerate() if hasattr(thread, "idle_workers")]
    return any(worker.loop is loop and worker not in worker.idle_workers for worker in workers)


def virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Decorator: an async test becomes a plain one that runs in virtual time, whatever async plugin is there."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtual(test, *args, **kwargs)

    return run
