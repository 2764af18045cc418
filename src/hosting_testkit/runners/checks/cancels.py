"""A cancelled task ends, wherever it stands (contract 11.4)."""

from __future__ import annotations

import asyncio
from typing import Any

from hosting.durable import RetryPolicy, TaskContext

from ..harness import Attempts, RunnerHarness, same
from ..registry import check


@check("11.4")
async def a_scheduled_task_that_is_cancelled_never_runs(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner:
        await runner.schedule("work", "first", key="k")
        await harness.until(lambda: attempts.begun == ["first"], "the first task")
        waiting = await runner.schedule("work", "cancelled", key="k")
        last = await runner.schedule("work", "last", key="k")
        assert await runner.cancel(waiting) is True
        same(await runner.get(waiting), "cancelled")
        assert await runner.cancel(waiting) is False, "a task was cancelled twice"
        attempts.open()
        await harness.until_status(runner, last, "succeeded")
    same(attempts.begun, ["first", "last"])


@check("11.4")
async def cancel_reaches_a_running_handler(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", "first", key="k")
        behind = await runner.schedule("work", "second", key="k")
        await harness.until(lambda: attempts.begun == ["first"], "the first task")
        assert await runner.cancel(handle) is True
        await harness.until(lambda: attempts.cancelled == ["first"], "the handler's cancellation")
        await harness.until_status(runner, handle, "cancelled")
        attempts.open()
        await harness.until_status(runner, behind, "succeeded")
    assert attempts.begun == ["first", "second"], "a cancelled task was tried again"


@check("11.4")
async def cancel_reaches_a_handler_that_another_runner_runs(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as one:
        handle = await one.schedule("work", 1)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        async with harness.running({"work": attempts}) as other:
            assert await other.cancel(handle) is True
            await harness.until(lambda: attempts.cancelled == [1], "the handler's cancellation")
            await harness.until_status(other, handle, "cancelled")
    same(attempts.begun, [1])


@check("11.4")
async def a_handler_that_fails_when_it_is_cancelled_is_not_tried_again(harness: RunnerHarness) -> None:
    began: list[int] = []

    async def work(payload: Any, context: TaskContext) -> None:
        began.append(context.attempt)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("could not clean up") from None

    async with harness.running({"work": work}) as runner:
        policy = RetryPolicy(initial_backoff_seconds=0)
        handle = await runner.schedule("work", 1, key="k", retry_policy=policy)
        await harness.until(lambda: began == [1], "the task's first attempt")
        assert await runner.cancel(handle) is True
        await harness.until_status(runner, handle, "cancelled")
    same(began, [1])


@check("11.4")
async def a_handler_that_returns_although_it_was_cancelled_has_succeeded(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True, stubborn=True)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        assert await runner.cancel(handle) is True
        await harness.until(lambda: attempts.cancelled == [1], "the handler's cancellation")
        attempts.open()
        await harness.until_status(runner, handle, "succeeded")
    same(attempts.ended, [1])
