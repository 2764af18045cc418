"""What the suite needs of a runner's back end, and what every check uses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hosting import UnknownReference
from hosting.durable import DurableTaskRunner, TaskContext, TaskHandle, TaskHandler, TaskStatus
from hosting.state import HostStateStore


class RunnerHarness(ABC):
    """One back end, empty at first, on which any number of runners work together.

    Time is the loop's: virtual for a runner that takes its time from there, else real; a check never waits for a time to
    pass, but for something to happen.

    Attributes:
        lease: Seconds until a silent runner's tasks are taken over, where a check does not say otherwise.
        logger: What runners are to be given; `errors` holds what they said.
        errors: Messages of errors, in order.
    """

    lease: float = 1.5
    patience: float = 30.0
    """Seconds after which what a check waits for will not happen any more."""

    def __init__(self) -> None:
        self.logger = logging.Logger("runners")  # noqa: LOG001 - one of its own, whose lines nobody else hears
        self.errors: list[str] = []
        self.logger.addHandler(_Kept(self.errors))

    @abstractmethod
    async def open(self) -> None:
        """Makes the back end; called once, in the loop of the check."""

    @abstractmethod
    async def close(self) -> None:
        """Takes the back end away."""

    @abstractmethod
    def make(self, *, concurrency: int = 4, lease: float | None = None) -> DurableTaskRunner:
        """A new runner on the back end, bound, without handlers, not resumed."""

    def store_of(self, runner: DurableTaskRunner) -> HostStateStore | None:
        """The store whose units can hold what `runner` plans; None if there is none."""
        return None

    @abstractmethod
    async def sever(self, runner: DurableTaskRunner) -> None:
        """From now on the back end hears nothing of `runner`, whose handlers go on."""

    async def heal(self, runner: DurableTaskRunner) -> None:
        """Ends what `sever` began."""

    async def schedule_damaged(self, runner: DurableTaskRunner, name: str, key: str) -> TaskHandle | None:
        """Schedules a task whose stored payload cannot be read; None where that cannot be."""
        return None

    def victim(self) -> Sequence[str] | None:
        """The command of a process that calls `victim.serve` on this back end; None if no other process can share it."""
        return None

    @asynccontextmanager
    async def running(
        self, handlers: Mapping[str, TaskHandler], *, concurrency: int = 4, lease: float | None = None
    ) -> AsyncGenerator[DurableTaskRunner]:
        """A runner with these handlers, resumed; drained in the end."""
        runner = self.make(concurrency=concurrency, lease=lease)
        for name, handler in handlers.items():
            runner.register(name, handler)
        await runner.resume()
        try:
            yield runner
        finally:
            await runner.drain(0)

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """Waits for something; `what` completes "never happened: "."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        while not happened():
            assert loop.time() < deadline, f"never happened: {what}"
            await asyncio.sleep(0.01)

    async def until_status(self, runner: DurableTaskRunner, handle: TaskHandle, status: TaskStatus) -> None:
        """Waits until a task stands there; fails at once if it ended otherwise."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        while (found := await _found(runner, handle)) != status:
            ended = found in ("succeeded", "failed", "cancelled")
            assert not ended and loop.time() < deadline, f"the task is {found}, expected it to be {status}"
            await asyncio.sleep(0.01)


class Attempts:
    """A handler that notes its attempts: `begun` and `ended` hold payloads in order, `contexts` what it was told.

    Args:
        gated: Whether an attempt waits until `open` is called.
        failures: How many attempts fail, counted over all tasks.
        error: What they fail with.
        stubborn: Whether it goes on when it is cancelled.
    """

    def __init__(
        self,
        *,
        gated: bool = False,
        failures: int = 0,
        error: Exception | None = None,
        stubborn: bool = False,
    ) -> None:
        self.begun: list[Any] = []
        self.ended: list[Any] = []
        self.cancelled: list[Any] = []
        self.contexts: list[TaskContext] = []
        self.times: list[float] = []
        self.most_at_once = 0
        self._at_once = 0
        self._failures = failures
        self._error = error or RuntimeError("this attempt fails")
        self._stubborn = stubborn
        self._gate = asyncio.Event()
        if not gated:
            self._gate.set()

    @property
    def left(self) -> int:
        """How many attempts have ended, well or not."""
        return len(self.begun) - self._at_once

    def open(self) -> None:
        """Lets all attempts go on."""
        self._gate.set()

    async def __call__(self, payload: Any, context: TaskContext) -> None:
        self.begun.append(payload)
        self.contexts.append(context)
        self.times.append(asyncio.get_running_loop().time())
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self._pass_gate(payload)
            if self._failures:
                self._failures -= 1
                raise self._error
            self.ended.append(payload)
        finally:
            self._at_once -= 1

    async def _pass_gate(self, payload: Any) -> None:
        while not self._gate.is_set():
            try:
                await self._gate.wait()
            except asyncio.CancelledError:
                self.cancelled.append(payload)
                if not self._stubborn:
                    raise
        await asyncio.sleep(0)


def same(found: object, expected: object) -> None:
    """Fails unless both are equal, and says what they are; repr, so that 1, 1.0 and True are three things."""
    assert repr(found) == repr(expected), f"found {found!r}, expected {expected!r}"


async def _found(runner: DurableTaskRunner, handle: TaskHandle) -> TaskStatus:
    try:
        return await runner.get(handle)
    except UnknownReference:
        raise AssertionError("the task is not known") from None


class _Kept(logging.Handler):
    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(record.getMessage())


@asynccontextmanager
async def opened(harness: RunnerHarness) -> AsyncGenerator[RunnerHarness]:
    """The harness with its back end, and the check that nothing of any runner is left behind."""
    before = asyncio.all_tasks()
    await harness.open()
    try:
        yield harness
    finally:
        await harness.close()
    with contextlib.suppress(AssertionError):
        await harness.until(lambda: asyncio.all_tasks() <= before, "the end of all tasks")
    left = sorted(task.get_name() for task in asyncio.all_tasks() - before)
    assert not left, f"runners left tasks behind: {', '.join(left)}"
