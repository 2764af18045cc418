"""A planned task exists exactly if the unit that holds it does (contract 4.4, 11.1)."""

from __future__ import annotations

from hosting.durable import DurableTaskRunner
from hosting.state import HostStateStore, StateConflict, Statement
from hosting.state.tables import records

from ..harness import Attempts, RunnerHarness, same
from ..registry import NotApplicable, check


@check("11.1")
async def a_task_planned_in_a_unit_runs_once_the_unit_is_kept(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        store = _store(harness, runner)
        assert runner.joins(store)
        planned = runner.plan("work", {"n": 1}, key="k")
        await store.execute(_record("a"), *planned.statements)
        runner.wake()
        await harness.until_status(runner, planned.handle, "succeeded")
    same(attempts.begun, [{"n": 1}])


@check("11.1")
async def a_task_planned_in_a_unit_that_fails_never_was(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        store = _store(harness, runner)
        planned = runner.plan("work", "of the failed unit", key="k")
        try:
            await store.execute(
                *planned.statements, Statement("records.delete", {"namespace": "ns", "key": "-"}, 1)
            )
        except StateConflict:
            pass
        else:
            raise AssertionError("the unit was to fail")
        runner.wake()
        after = await runner.schedule("work", "after it", key="k")
        await harness.until_status(runner, after, "succeeded")
    same(attempts.begun, ["after it"])


@check("11.1")
async def planning_alone_does_nothing(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        runner.plan("work", "only planned", key="k")
        after = await runner.schedule("work", "scheduled", key="k")
        await harness.until_status(runner, after, "succeeded")
    same(attempts.begun, ["scheduled"])


def _store(harness: RunnerHarness, runner: DurableTaskRunner) -> HostStateStore:
    store = harness.store_of(runner)
    if store is None:
        raise NotApplicable
    return store


def _record(key: str) -> Statement:
    return records.put_record("ns", key, "1", now_ms=1)
