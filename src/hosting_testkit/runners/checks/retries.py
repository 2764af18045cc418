"""A failed attempt is followed by another, within the policy (contract 11.2)."""

from __future__ import annotations

from hosting import PushRetryable
from hosting.durable import DurableTaskRunner, RetryPolicy, TaskRejected, TaskRetryable

from ..harness import Attempts, RunnerHarness, same
from ..registry import check

_GROWING = RetryPolicy(max_attempts=4, initial_backoff_seconds=0.3, backoff_multiplier=2, jitter=False)
_AT_ONCE = RetryPolicy(max_attempts=3, initial_backoff_seconds=0, jitter=False)


@check("11.2")
async def waits_between_attempts_grow(harness: RunnerHarness) -> None:
    attempts = Attempts(failures=3)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1, retry_policy=_GROWING)
        await harness.until_status(runner, handle, "succeeded")
    same([context.attempt for context in attempts.contexts], [1, 2, 3, 4])
    same({context.max_attempts for context in attempts.contexts}, {4})
    waits = [later - earlier for earlier, later in zip(attempts.times, attempts.times[1:], strict=False)]
    for wait, least in zip(waits, (0.3, 0.6, 1.2), strict=True):
        assert wait >= least - 0.01, f"waits of {waits} s, expected at least 0.3, 0.6 and 1.2"


@check("11.2")
async def a_longer_retry_after_wins(harness: RunnerHarness) -> None:
    for error in (TaskRetryable(retry_after=1.0), PushRetryable(retry_after=1.0)):
        attempts = await _fails_once(harness, error, RetryPolicy(initial_backoff_seconds=0, jitter=False))
        assert attempts.times[1] - attempts.times[0] >= 0.99, "it was tried again before the server wanted it"


@check("11.2")
async def a_shorter_retry_after_wins(harness: RunnerHarness) -> None:
    policy = RetryPolicy(initial_backoff_seconds=3600, max_backoff_seconds=3600, jitter=False)
    attempts = await _fails_once(harness, TaskRetryable(retry_after=0.0), policy)
    same(len(attempts.times), 2)


@check("11.2")
async def a_task_out_of_attempts_is_dead_and_its_key_goes_on(harness: RunnerHarness) -> None:
    attempts = Attempts(failures=3)
    async with harness.running({"work": attempts}) as runner:
        dead = await runner.schedule("work", "bad", key="k", retry_policy=_AT_ONCE)
        behind = await runner.schedule("work", "good", key="k")
        await harness.until_status(runner, dead, "failed")
        await harness.until_status(runner, behind, "succeeded")
        _reported_once(harness, runner, dead.task_id)
    same(attempts.begun, ["bad", "bad", "bad", "good"])


@check("11.2")
async def a_task_that_is_rejected_is_dead_at_once(harness: RunnerHarness) -> None:
    attempts = Attempts(failures=1, error=TaskRejected("no such chat"))
    async with harness.running({"work": attempts}) as runner:
        dead = await runner.schedule("work", "bad", key="k", retry_policy=_AT_ONCE)
        behind = await runner.schedule("work", "good", key="k")
        await harness.until_status(runner, dead, "failed")
        await harness.until_status(runner, behind, "succeeded")
        _reported_once(harness, runner, dead.task_id)
    same(attempts.begun, ["bad", "good"])


async def _fails_once(harness: RunnerHarness, error: Exception, policy: RetryPolicy) -> Attempts:
    attempts = Attempts(failures=1, error=error)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1, retry_policy=policy)
        await harness.until_status(runner, handle, "succeeded")
    return attempts


def _reported_once(harness: RunnerHarness, runner: DurableTaskRunner, task_id: str) -> None:
    reports = [line for line in harness.errors if task_id in line]
    assert len(reports) == 1, f"a dead task has to be reported once, found {reports}"
