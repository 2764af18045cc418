"""Tasks that count where they are suspended, and of which one can be cancelled at such a place (contract 7.5)."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

from .suspension import positions_of


@dataclass(frozen=True, slots=True)
class SuspensionPoint:
    """One place at which a task can be cancelled.

    Args:
        task: Number of the task, in the order in which they were made, from 0.
        step: How often it has been suspended, this time included; 0 before its first step.
        where: Positions `file:line in function`, outermost first; none where a task is cancelled on purpose and it is
            not that task after its cancellation, since they take time.
    """

    task: int
    step: int
    where: tuple[str, ...] = field(default=(), compare=False)


@dataclass(slots=True, eq=False)
class SteppedTask:
    """A task that was made while its steps were counted.

    Args:
        number: In the order in which tasks were made, from 0.
        creator: The task that made it, if that is counted too.
        points: Where it has been suspended, in order.
        cancelled: How many points it had when it was cancelled; None if it was not.
        handle: The task itself; what it awaits, other tasks included, is its own affair.
    """

    number: int
    creator: SteppedTask | None
    points: list[SuspensionPoint] = field(default_factory=list[SuspensionPoint])
    cancelled: int | None = None
    handle: asyncio.Task[Any] = field(init=False)

    @property
    def name(self) -> str:
        """The task's name."""
        return self.handle.get_name()

    @property
    def steps_after_cancel(self) -> int:
        """How often it has been suspended since it was cancelled, the place of the cancellation apart."""
        return 0 if self.cancelled is None else len(self.points) - self.cancelled


class SteppedTasks:
    """While it is entered, every new task of the running loop is counted: `with SteppedTasks() as tasks: ...`.

    The same code makes the same tasks in the same order, so a point that one run found names the same place in the
    next. A cancellation reaches the task exactly where it is suspended, before anything else happens.

    Args:
        cancel: Where a task is cancelled; nowhere if None.
        again: At which suspension after that it is cancelled a second time, from 1; 0 for never.
    """

    def __init__(self, *, cancel: SuspensionPoint | None = None, again: int = 0) -> None:
        self.made: list[SteppedTask] = []
        self._cancel = cancel
        self._again = again
        self._by_task: dict[asyncio.Task[Any], SteppedTask] = {}

    @property
    def cancelled(self) -> SteppedTask | None:
        """The task that was cancelled, if it came to the point."""
        return next((task for task in self.made if task.cancelled is not None), None)

    def of(self, task: asyncio.Task[Any] | None) -> SteppedTask | None:
        """What is counted of `task`."""
        return None if task is None else self._by_task.get(task)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._before = self._loop.get_task_factory()
        self._loop.set_task_factory(self._make)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.set_task_factory(self._before)

    def _make(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        stepped = SteppedTask(len(self.made), self.of(asyncio.current_task()))
        self.made.append(stepped)
        steps = _awaiting(self._driven(coroutine, stepped))
        make: Any = self._before or _plain_task
        task = stepped.handle = make(loop, steps, **options)
        self._by_task[task] = stepped
        task.add_done_callback(partial(_close, coroutine))
        self._reached(stepped, 0)
        return task

    @types.coroutine
    def _driven(
        self, driven_coroutine: Coroutine[Any, Any, Any], stepped: SteppedTask
    ) -> Generator[Any, Any, Any]:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                waits_for = driven_coroutine.send(value) if error is None else driven_coroutine.throw(error)
            except StopIteration as end:
                return end.value
            self._suspended(stepped, driven_coroutine)
            try:
                value, error = (yield waits_for), None
            except GeneratorExit:
                driven_coroutine.close()
                raise
            except BaseException as thrown:
                value, error = None, thrown

    def _suspended(self, stepped: SteppedTask, coroutine: Coroutine[Any, Any, Any]) -> None:
        step = len(stepped.points) + 1
        told = self._cancel is None or stepped.cancelled is not None
        where = positions_of(coroutine) if told else ()
        stepped.points.append(SuspensionPoint(stepped.number, step, where))
        if stepped.cancelled is None:
            self._reached(stepped, step)
        elif stepped.steps_after_cancel == self._again:
            stepped.handle.cancel()

    def _reached(self, stepped: SteppedTask, step: int) -> None:
        if self._cancel == SuspensionPoint(stepped.number, step):
            stepped.cancelled = step
            stepped.handle.cancel()


def _plain_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **options)


def _close(coroutine: Coroutine[Any, Any, Any], task: asyncio.Task[Any]) -> None:
    """One that never began would warn that nobody awaited it."""
    coroutine.close()


async def _awaiting(steps: Any) -> Any:
    return await steps
