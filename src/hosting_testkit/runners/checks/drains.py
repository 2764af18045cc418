"""A drained runner finishes or gives back what it holds, and takes no more (contract 1.7)."""

from __future__ import annotations

import asyncio

from hosting.durable import RetryPolicy

from ..harness import Attempts, RunnerHarness, same
from ..registry import check

_LONG = 600.0
"""Seconds: a lease whose end no check lives to see."""


@check("1.7")
async def a_drain_waits_for_a_handler_that_ends_in_time(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        draining = asyncio.create_task(runner.drain(harness.patience))
        await asyncio.sleep(0.05)
        attempts.open()
        await draining
        same(attempts.ended, [1])
        same(len(attempts.cancelled), 0)
    async with harness.running({"work": attempts}) as other:
        same(await other.get(handle), "succeeded")


@check("1.7")
async def a_drain_takes_no_more_tasks(harness: RunnerHarness) -> None:
    attempts, others = Attempts(gated=True), Attempts()
    async with harness.running({"work": attempts}) as runner:
        await runner.schedule("work", 1)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        draining = asyncio.create_task(runner.drain(harness.patience))
        await asyncio.sleep(0.05)
        later = await runner.schedule("work", 2)
        await asyncio.sleep(0.05)
        attempts.open()
        await draining
    async with harness.running({"work": others}) as other:
        await harness.until_status(other, later, "succeeded")
    same((attempts.begun, others.begun), ([1], [2]))


@check("1.7")
async def what_a_drain_cuts_off_goes_to_a_peer_at_once_and_costs_no_attempt(harness: RunnerHarness) -> None:
    attempts, peers = Attempts(gated=True), Attempts()
    policy = RetryPolicy(max_attempts=1)
    async with harness.running({"work": attempts}, lease=_LONG) as runner:
        handle = await runner.schedule("work", 1, key="k", retry_policy=policy)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        async with harness.running({"work": peers}, lease=_LONG) as peer:
            await runner.drain(0.1)
            same(attempts.cancelled, [1])
            await harness.until_status(peer, handle, "succeeded")
    same(peers.begun, [1])
    context = peers.contexts[0]
    assert (context.task_id, context.attempt) == (handle.task_id, 1), "the drain cost an attempt"


@check("1.7")
async def a_handler_that_saves_its_work_when_it_is_drained_has_succeeded(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True, stubborn=True)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        draining = asyncio.create_task(runner.drain(0))
        await harness.until(lambda: attempts.cancelled == [1], "the handler's cancellation")
        attempts.open()
        await draining
    async with harness.running({"work": attempts}) as other:
        same(await other.get(handle), "succeeded")
    same(attempts.begun, [1])


@check("1.6")
async def a_drained_runner_leaves_nothing_behind(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({}) as first:
        await first.drain(0)
    before = _names_of_tasks()  # what the back end keeps for itself, once it was used
    async with harness.running({"work": attempts}) as runner:
        await runner.schedule("work", 1)
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        await runner.drain(0)
        left = _names_of_tasks() - before
        assert not left, f"the runner left tasks behind: {left}"
        await runner.drain(0)


def _names_of_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}
