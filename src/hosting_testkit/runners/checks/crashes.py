"""A runner that dies, or that others believe dead, loses its tasks to others, and nothing else (decision S2)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hosting.durable import DurableTaskRunner, TaskHandle
from hosting.state.errors import StateUnavailable

from ..harness import Attempts, RunnerHarness, same
from ..registry import NotApplicable, check

_BEGIN = 60.0
"""Seconds until a process that was started has begun its task."""


@check("S2")
async def a_task_longer_than_the_lease_stays_with_its_runner(harness: RunnerHarness) -> None:
    attempts, peers = Attempts(gated=True), Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner, harness.running({"work": peers}):
        handle = await runner.schedule("work", 1)
        await harness.until(lambda: bool(attempts.begun or peers.begun), "the task's first attempt")
        await asyncio.sleep(2.5 * harness.lease)
        assert attempts.begun + peers.begun == [1], "the task was taken from a runner that lives"
        attempts.open()
        peers.open()
        await harness.until_status(runner, handle, "succeeded")


@check("S2")
async def an_end_told_by_a_runner_that_was_overtaken_does_not_count(harness: RunnerHarness) -> None:
    for late in (Attempts(gated=True, stubborn=True), Attempts(gated=True, stubborn=True, failures=1)):
        new = Attempts(gated=True)
        async with harness.running({"work": late}) as old:
            handle = await old.schedule("work", 1, key="k")
            await harness.until(lambda late=late: late.begun == [1], "the task's first attempt")
            await harness.sever(old)
            async with harness.running({"work": new}) as peer:
                await harness.until(lambda new=new: new.begun == [1], "the peer's attempt")
                assert new.contexts[0].attempt == 2, "an attempt that ended with its runner was not counted"
                await harness.heal(old)
                late.open()
                await harness.until(lambda late=late: late.left == 1, "the late end")
                await old.drain(harness.patience)
                assert await peer.get(handle) == "running", "the late end changed the task"
                new.open()
                await harness.until_status(peer, handle, "succeeded")
        assert new.begun == [1], "the late end made the task run again"


@check("S2", kills=True)
async def a_task_whose_runner_was_killed_is_run_by_a_peer(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with (
        _killed(harness, max_attempts=3) as (process, handle),
        harness.running({"hang": attempts}) as peer,
    ):
        await asyncio.sleep(1.5 * harness.lease)
        assert attempts.begun == [], "the task was taken from a process that lives"
        process.kill()
        await harness.until_status(peer, handle, "succeeded")
    assert [context.attempt for context in attempts.contexts] == [2], "the crash cost no attempt"


@check("S2", kills=True)
async def a_task_whose_last_attempt_was_killed_is_dead_and_never_run(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with (
        _killed(harness, max_attempts=1) as (process, handle),
        harness.running({"hang": attempts}) as peer,
    ):
        behind = await peer.schedule("hang", "behind", key="k")
        process.kill()
        await harness.until_status(peer, handle, "failed")
        await harness.until_status(peer, behind, "succeeded")
    assert attempts.begun == ["behind"], "a task out of attempts was run"
    assert any(handle.task_id in line for line in harness.errors), "a dead task was not reported"


@check("11.4", kills=True)
async def a_cancelled_task_whose_runner_was_killed_is_not_run_again(harness: RunnerHarness) -> None:
    attempts = Attempts()
    async with (
        _killed(harness, max_attempts=3) as (process, handle),
        harness.running({"hang": attempts}) as peer,
    ):
        assert await _cancelled_behind_its_back(process, peer, handle) is True
        process.kill()
        await harness.until_status(peer, handle, "cancelled")
    same(attempts.begun, [])


async def _cancelled_behind_its_back(
    process: asyncio.subprocess.Process, peer: DurableTaskRunner, handle: TaskHandle
) -> bool:
    """Cancels while the process stands still; one that was stopped in the middle of a write goes on first."""
    while True:
        process.send_signal(signal.SIGSTOP)
        try:
            return await peer.cancel(handle)
        except StateUnavailable:
            process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def _killed(
    harness: RunnerHarness, *, max_attempts: int
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, TaskHandle]]:
    """A process that runs a task which never ends; killed at the latest in the end."""
    command = harness.victim()
    if command is None:
        raise NotApplicable
    process = await asyncio.create_subprocess_exec(
        *command, str(max_attempts), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_BEGIN):
            words = (await process.stdout.readline()).decode().split()
            assert words[:1] == ["scheduled"], "the process did not schedule its task"
            began = await process.stdout.readline()
        assert began == b"began 1\n", "the process did not begin its task"
        yield process, TaskHandle(words[1], "hang")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
