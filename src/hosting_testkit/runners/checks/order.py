"""One key in order, others side by side, a delay respected (contract 11.4)."""

from __future__ import annotations

import asyncio

from hosting.durable import RetryPolicy

from ..harness import Attempts, RunnerHarness, same
from ..registry import check

_SOON = RetryPolicy(initial_backoff_seconds=0.1, jitter=False)


@check("11.4")
async def tasks_of_one_key_run_one_at_a_time_in_order(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as first, harness.running({"work": attempts}):
        handles = [await first.schedule("work", number, key="k") for number in range(12)]
        await harness.until_status(first, handles[-1], "succeeded")
    same(attempts.ended, list(range(12)))
    assert attempts.most_at_once == 1, "two tasks of one key ran at the same time"


@check("11.4")
async def a_task_that_waits_for_its_next_attempt_holds_its_key(harness: RunnerHarness) -> None:
    attempts = Attempts(failures=2)
    async with harness.running({"work": attempts}) as runner:
        await runner.schedule("work", "first", key="k", retry_policy=_SOON)
        last = await runner.schedule("work", "second", key="k")
        await harness.until_status(runner, last, "succeeded")
    same(attempts.begun, ["first", "first", "first", "second"])


@check("11.4")
async def keys_do_not_wait_for_each_other(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner:
        for name, key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("free", None)):
            await runner.schedule("work", name, key=key)
        await harness.until(lambda: len(attempts.begun) == 3, "three tasks side by side")
        attempts.open()
        await harness.until(lambda: len(attempts.ended) == 4, "the end of all tasks")
    same(set(attempts.begun[:3]), {"a1", "b1", "free"})


@check("11.4")
async def no_more_run_at_once_than_the_runner_is_allowed(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}, concurrency=2) as runner:
        for number in range(6):
            await runner.schedule("work", number)
        await harness.until(lambda: len(attempts.begun) == 2, "two tasks side by side")
        attempts.open()
        await harness.until(lambda: len(attempts.ended) == 6, "the end of all tasks")
    same(attempts.most_at_once, 2)


@check("11.1")
async def a_delayed_task_is_not_early_and_lets_others_pass(harness: RunnerHarness) -> None:
    attempts = Attempts()
    loop = asyncio.get_running_loop()
    async with harness.running({"work": attempts}) as runner:
        scheduled = loop.time()
        late = await runner.schedule("work", "late", delay=1.0)
        same(await runner.get(late), "scheduled")
        await runner.schedule("work", "at once")
        await harness.until_status(runner, late, "succeeded")
    same(attempts.begun, ["at once", "late"])
    assert attempts.times[1] - scheduled >= 0.99, "the task was run before its time"


@check("11.4")
async def a_delayed_task_holds_its_key(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        await runner.schedule("work", "late", key="k", delay=0.5)
        behind = await runner.schedule("work", "behind", key="k")
        await harness.until_status(runner, behind, "succeeded")
    same(attempts.begun, ["late", "behind"])


@check("11.4")
async def many_tasks_over_three_runners_run_once_each(harness: RunnerHarness) -> None:
    attempts = Attempts()
    work = {"work": attempts}
    async with harness.running(work) as one, harness.running(work), harness.running(work):
        for number in range(60):
            await one.schedule("work", number, key=f"k{number % 7}" if number % 3 else None)
        await harness.until(lambda: len(attempts.ended) >= 60, "the end of all tasks")
    same(sorted(attempts.ended), list(range(60)))
    for key in range(7):
        ours = [number for number in attempts.ended if number % 3 and number % 7 == key]
        same(ours, sorted(ours))
