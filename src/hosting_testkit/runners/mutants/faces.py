"""Defects in what a runner does for its callers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from hosting import UnknownReference
from hosting.durable import (
    DurableTaskRunner,
    PlannedTask,
    PushPayloadNotSerializable,
    RunnerServices,
    TaskHandle,
    TaskHandler,
    TaskStatus,
)

from .model import Face, mutant


class _CancelsNothing(Face):
    async def cancel(self, handle: TaskHandle) -> bool:
        return True


class _DrainsLate(Face):
    async def drain(self, timeout: float) -> None:
        if timeout > 0:
            await asyncio.sleep(0.3)
        await self.inner.drain(timeout)


class _DrainsAtOnce(Face):
    async def drain(self, timeout: float) -> None:
        await self.inner.drain(0)


class _LeavesATask(Face):
    async def resume(self) -> None:
        await self.inner.resume()
        self._left = asyncio.create_task(asyncio.sleep(60), name="left behind")


class _ResumesOnce(Face):
    _resumed = False

    async def resume(self) -> None:
        if not self._resumed:
            self._resumed = True
            await self.inner.resume()


class _TakesItsTasksAlong(Face):
    """Cancels what it scheduled when it goes."""

    def __init__(self, inner: DurableTaskRunner) -> None:
        super().__init__(inner)
        self._scheduled: list[TaskHandle] = []

    async def schedule(self, name: str, payload: Any, **options: Any) -> TaskHandle:
        handle = await self.inner.schedule(name, payload, **options)
        self._scheduled.append(handle)
        return handle

    async def drain(self, timeout: float) -> None:
        for handle in self._scheduled:
            await self.inner.cancel(handle)
        await self.inner.drain(timeout)


class _PlansAtOnce(Face):
    """Schedules outside the unit."""

    def bind(self, services: RunnerServices) -> None:
        super().bind(services)
        self._store = services.store
        self._begun: set[asyncio.Future[Any]] = set()

    def plan(self, name: str, payload: Any, **options: Any) -> PlannedTask:
        planned = self.inner.plan(name, payload, **options)
        self._begun.add(asyncio.ensure_future(self._store.execute(*planned.statements)))
        return PlannedTask(planned.handle, ())


class _PlansNothing(Face):
    def plan(self, name: str, payload: Any, **options: Any) -> PlannedTask:
        return PlannedTask(self.inner.plan(name, payload, **options).handle, ())


class _TakesAnything(Face):
    async def schedule(self, name: str, payload: Any, **options: Any) -> TaskHandle:
        try:
            return await self.inner.schedule(name, payload, **options)
        except PushPayloadNotSerializable:
            return await self.inner.schedule(name, type(payload).__name__, **options)


class _KnowsEverything(Face):
    async def get(self, handle: TaskHandle) -> TaskStatus:
        try:
            return await self.inner.get(handle)
        except UnknownReference:
            return "failed"


class _RegistersAnyTime(Face):
    def register(
        self, name: str, handler: TaskHandler, *, decode: Callable[[Any], Any] | None = None
    ) -> None:
        try:
            self.inner.register(name, handler, decode=decode)
        except RuntimeError:
            return


class _DiesSilently(Face):
    def bind(self, services: RunnerServices) -> None:
        silent = logging.Logger("silent")  # noqa: LOG001 - nobody is to hear it
        super().bind(
            RunnerServices(store=services.store, clock=services.clock, ids=services.ids, logger=silent)
        )


class _Fast:
    """A clock that is an hour ahead."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now() + 3600

    def monotonic(self) -> float:
        return self._clock.monotonic()


class _TakesFromTheLiving(Face):
    def bind(self, services: RunnerServices) -> None:
        fast = _Fast(services.clock)
        super().bind(
            RunnerServices(store=services.store, clock=fast, ids=services.ids, logger=services.logger)
        )


mutant(
    "cancels-nothing",
    "cancel says yes and does nothing",
    "a_scheduled_task_that_is_cancelled_never_runs",
    "cancel_reaches_a_running_handler",
    face=_CancelsNothing,
)
mutant("drains-late", "a drain goes on claiming", "a_drain_takes_no_more_tasks", face=_DrainsLate)
mutant(
    "drains-at-once",
    "a drain does not wait",
    "a_drain_waits_for_a_handler_that_ends_in_time",
    face=_DrainsAtOnce,
)
mutant("leaves-a-task", "an asyncio task stays", "a_drained_runner_leaves_nothing_behind", face=_LeavesATask)
mutant("resumes-once", "resume works once", "a_runner_that_was_drained_can_be_resumed", face=_ResumesOnce)
mutant(
    "takes-its-tasks-along",
    "what a runner scheduled goes with it",
    "a_task_left_by_a_runner_that_has_gone_is_run_by_the_next",
    face=_TakesItsTasksAlong,
)
mutant(
    "plans-at-once",
    "a planned task is scheduled outside the unit",
    "a_task_planned_in_a_unit_that_fails_never_was",
    "planning_alone_does_nothing",
    face=_PlansAtOnce,
)
mutant(
    "plans-nothing",
    "a planned task is never scheduled",
    "a_task_planned_in_a_unit_runs_once_the_unit_is_kept",
    face=_PlansNothing,
)
mutant(
    "takes-anything",
    "what is no JSON is taken",
    "what_is_no_json_is_refused_when_it_is_scheduled",
    face=_TakesAnything,
)
mutant(
    "knows-everything",
    "a task that never was has a status",
    "a_task_that_never_was_is_unknown",
    face=_KnowsEverything,
)
mutant(
    "registers-any-time",
    "a late handler is taken and forgotten",
    "handlers_are_registered_once_and_before_the_start",
    face=_RegistersAnyTime,
)
mutant(
    "dies-silently",
    "dead tasks are not reported",
    "a_task_without_a_handler_is_dead_and_the_rest_goes_on",
    "a_task_out_of_attempts_is_dead_and_its_key_goes_on",
    "a_task_that_is_rejected_is_dead_at_once",
    "a_task_whose_last_attempt_was_killed_is_dead_and_never_run",
    face=_DiesSilently,
)
mutant(
    "takes-from-the-living",
    "a lease is not respected",
    "a_task_whose_runner_was_killed_is_run_by_a_peer",
    face=_TakesFromTheLiving,
)
mutant(
    "one-at-a-time",
    "all tasks wait for each other",
    "keys_do_not_wait_for_each_other",
    options={"concurrency": 1},
)
mutant(
    "without-bounds",
    "any number of tasks runs at once",
    "no_more_run_at_once_than_the_runner_is_allowed",
    options={"concurrency": 1000},
)
