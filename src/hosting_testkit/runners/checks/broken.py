"""What cannot be run is dead and reported; the rest goes on (contract 11.1)."""

from __future__ import annotations

from typing import Any

from hosting.durable import DurableTaskRunner, TaskHandle

from ..harness import Attempts, RunnerHarness, same
from ..registry import NotApplicable, check


@check("11.1")
async def a_task_without_a_handler_is_dead_and_the_rest_goes_on(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        dead = await runner.schedule("nobody", "secret words", key="k")
        await _dies_and_lets_others_pass(harness, runner, dead)
    same(attempts.begun, ["next"])


@check("11.1")
async def a_payload_that_the_decoder_refuses_is_dead_and_the_rest_goes_on(harness: RunnerHarness) -> None:
    attempts, picky = Attempts(), Attempts()
    runner = harness.make()
    runner.register("work", attempts)
    runner.register("picky", picky, decode=_number)
    await runner.resume()
    try:
        dead = await runner.schedule("picky", "secret words", key="k")
        fine = await runner.schedule("picky", "42")
        await _dies_and_lets_others_pass(harness, runner, dead)
        await harness.until_status(runner, fine, "succeeded")
    finally:
        await runner.drain(0)
    assert picky.begun == [42], "the handler was run with what its decoder refused, or not with what it made"


@check("11.1")
async def a_payload_that_was_damaged_is_dead_and_the_rest_goes_on(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        dead = await harness.schedule_damaged(runner, "work", "k")
        if dead is None:
            raise NotApplicable
        await _dies_and_lets_others_pass(harness, runner, dead)
    same(attempts.begun, ["next"])


async def _dies_and_lets_others_pass(
    harness: RunnerHarness, runner: DurableTaskRunner, dead: TaskHandle
) -> None:
    behind = await runner.schedule("work", "next", key="k")
    await harness.until_status(runner, dead, "failed")
    await harness.until_status(runner, behind, "succeeded")
    reports = [line for line in harness.errors if dead.task_id in line]
    assert len(reports) == 1, f"a dead task has to be reported once, found {reports}"
    assert "secret" not in reports[0], "a report holds what was said"


def _number(payload: Any) -> int:
    return int(payload)
