"""Defects in how handlers are run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hosting import PushRetryable
from hosting.durable import (
    DurableTaskRunner,
    TaskContext,
    TaskHandle,
    TaskHandler,
    TaskRejected,
    TaskRetryable,
)

from .model import Face, mutant


class _Handling(Face):
    """Puts something around every handler."""

    def around(self, handler: TaskHandler) -> TaskHandler:
        return handler

    def register(
        self, name: str, handler: TaskHandler, *, decode: Callable[[Any], Any] | None = None
    ) -> None:
        super().register(name, self.around(handler), decode=decode)


class _RunsTwice(_Handling):
    def around(self, handler: TaskHandler) -> TaskHandler:
        async def twice(payload: Any, context: TaskContext) -> None:
            await handler(payload, context)
            await handler(payload, context)

        return twice


class _Deaf(_Handling):
    """Takes any failure for the same one."""

    deaf_to: tuple[type[Exception], ...] = ()

    def around(self, handler: TaskHandler) -> TaskHandler:
        async def run(payload: Any, context: TaskContext) -> None:
            try:
                await handler(payload, context)
            except self.deaf_to:
                raise RuntimeError("something failed") from None

        return run


class _IgnoresRetryAfter(_Deaf):
    deaf_to = (TaskRetryable, PushRetryable)


class _TriesTheRejectedAgain(_Deaf):
    deaf_to = (TaskRejected,)


class _CancelsOnlyHere(_Handling):
    """Knows only of what it runs itself."""

    def __init__(self, inner: DurableTaskRunner) -> None:
        super().__init__(inner)
        self._here: set[str] = set()

    def around(self, handler: TaskHandler) -> TaskHandler:
        async def run(payload: Any, context: TaskContext) -> None:
            self._here.add(context.task_id)
            await handler(payload, context)

        return run

    async def cancel(self, handle: TaskHandle) -> bool:
        return await self.inner.cancel(handle) if handle.task_id in self._here else True


class _CallsStubbornCancelled(_Handling):
    """Ends a task as cancelled although its handler returned."""

    def around(self, handler: TaskHandler) -> TaskHandler:
        async def run(payload: Any, context: TaskContext) -> None:
            await handler(payload, context)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError

        return run


class _ScreamsAtCancel(_Handling):
    """Takes the failure of a cancelled handler for a success."""

    def around(self, handler: TaskHandler) -> TaskHandler:
        async def run(payload: Any, context: TaskContext) -> None:
            try:
                await handler(payload, context)
            except RuntimeError:
                return

        return run


mutant(
    "runs-twice",
    "a task runs twice",
    "a_task_is_scheduled_runs_once_and_succeeds",
    "many_tasks_over_three_runners_run_once_each",
    face=_RunsTwice,
)
mutant(
    "ignores-retry-after",
    "the server's wish is not heard",
    "a_longer_retry_after_wins",
    "a_shorter_retry_after_wins",
    face=_IgnoresRetryAfter,
)
mutant(
    "tries-the-rejected-again",
    "a rejected task is tried again",
    "a_task_that_is_rejected_is_dead_at_once",
    face=_TriesTheRejectedAgain,
)
mutant(
    "cancels-only-here",
    "cancel does not reach other runners",
    "cancel_reaches_a_handler_that_another_runner_runs",
    face=_CancelsOnlyHere,
)
mutant(
    "calls-the-stubborn-cancelled",
    "a task that was done is called cancelled",
    "a_handler_that_returns_although_it_was_cancelled_has_succeeded",
    face=_CallsStubbornCancelled,
)
mutant(
    "takes-failure-for-success",
    "a handler that fails has succeeded",
    "a_handler_that_fails_when_it_is_cancelled_is_not_tried_again",
    "waits_between_attempts_grow",
    face=_ScreamsAtCancel,
)
