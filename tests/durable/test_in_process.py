"""The embedded runner beside what the suite asks of every runner: its store, its clock, its leases."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hosting import RandomIds, SystemTime, UnknownReference
from hosting.durable import (
    DurableTaskPayloadMode,
    DurableTaskRunner,
    InProcessTaskRunner,
    RetryPolicy,
    RunnerServices,
)
from hosting.state import (
    HostStateStore,
    InMemoryHostStateStore,
    Rows,
    SqliteHostStateStore,
    Statement,
    StateOutcomeUnknown,
    StateUnavailable,
)
from hosting.state.tables import tasks
from hosting_testkit.clock import DeadlockError, VirtualClock, virtual_time
from hosting_testkit.runners import Attempts, Line

LEASE = 15.0


@asynccontextmanager
async def running(
    store: HostStateStore, attempts: Attempts, **options: Any
) -> AsyncGenerator[InProcessTaskRunner]:
    runner = bound(store, **options)
    runner.register("work", attempts)
    await runner.resume()
    try:
        yield runner
    finally:
        await runner.drain(0)


def bound(
    store: HostStateStore,
    own: HostStateStore | None = None,
    clock: VirtualClock | None = None,
    **options: Any,
) -> InProcessTaskRunner:
    runner = InProcessTaskRunner(own, **options)
    logger = logging.getLogger("tests.durable")
    runner.bind(
        RunnerServices(store=store, clock=clock or VirtualClock().bind(), ids=RandomIds(), logger=logger)
    )
    return runner


@asynccontextmanager
async def memory() -> AsyncGenerator[InMemoryHostStateStore]:
    store = InMemoryHostStateStore()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def until(happened: Callable[[], bool]) -> None:
    """Waits in virtual time, for minutes at the most."""
    async with asyncio.timeout(600):
        while not happened():
            await asyncio.sleep(0.1)


@virtual_time
async def test_it_is_a_runner_and_says_what_it_is() -> None:
    async with memory() as store:
        runner = bound(store)
        assert isinstance(runner, DurableTaskRunner)
        assert (runner.in_process, runner.payload_mode) == (True, DurableTaskPayloadMode.JSON)
        assert runner.describe() == "in process"
        assert runner.joins(store) and not runner.joins(InMemoryHostStateStore())


async def test_without_a_host_it_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"durable_task_runner=\.\.\."):
        await InProcessTaskRunner().schedule("work", 1)


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"lease": -1.0}, {"poll": 0.0}, {"keep": float("nan")}]
)
def test_a_number_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        InProcessTaskRunner(**wrong)


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), 1e12])
@virtual_time
async def test_a_delay_that_makes_no_sense_is_refused(delay: float) -> None:
    async with memory() as store:
        with pytest.raises(ValueError, match="delay"):
            bound(store).plan("work", 1, delay=delay)


def test_nobody_to_wait_for_means_no_timer() -> None:
    """A host in memory that hangs has to be told from one that waits: a timer of ours would hide it."""

    @virtual_time
    async def hang() -> None:
        attempts = Attempts(gated=True)
        async with memory() as store, running(store, attempts) as runner:
            await runner.schedule("work", 1, key="k")
            await runner.schedule("work", 2, key="k")
            await until(lambda: attempts.begun == [1])
            await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        hang()


@virtual_time
async def test_a_task_waits_for_its_time_and_for_nothing_else() -> None:
    attempts = Attempts()
    async with memory() as store, running(store, attempts) as runner:
        loop = asyncio.get_running_loop()
        await runner.schedule("work", "tomorrow", delay=86_400)
        await runner.schedule("work", "at once")
        await until(lambda: attempts.ended == ["at once"])
        assert loop.time() < 1
        async with asyncio.timeout(90_000):
            while len(attempts.ended) < 2:
                await asyncio.sleep(3600)
        assert attempts.times[1] == pytest.approx(86_400, abs=1)


@pytest.mark.parametrize("restarted", [False, True])
@virtual_time
async def test_a_retry_waits_no_longer_because_the_clock_was_set_back(restarted: bool) -> None:
    attempts, clock = Attempts(failures=1), VirtualClock().bind()
    policy = RetryPolicy(initial_backoff_seconds=5.0, jitter=False)
    async with memory() as store:
        async with running(store, attempts, clock=clock) as runner:
            await runner.schedule("work", "again", retry_policy=policy)
            await runner.schedule("work", "in two hours", delay=7200)
            await until(lambda: attempts.left == 1)
            clock.skew(-3600)
            if not restarted:
                await until(lambda: attempts.ended == ["again"])
        async with running(store, attempts, clock=clock):
            await until(lambda: attempts.ended == ["again"])
    assert attempts.times[1] < 60


@virtual_time
async def test_a_store_that_is_away_for_a_moment_changes_nothing() -> None:
    attempts = Attempts(gated=True)
    async with memory() as shared:
        line = Line(shared)
        async with running(line, attempts, poll=1.0, lease=LEASE) as runner:
            handle = await runner.schedule("work", 1)
            await until(lambda: attempts.begun == [1])
            line.cut = True
            attempts.open()
            await until(lambda: attempts.ended == [1])
            await asyncio.sleep(LEASE / 2)
            line.cut = False
            await asyncio.sleep(3)
            assert await runner.get(handle) == "succeeded"
    assert attempts.begun == [1]


@virtual_time
async def test_a_store_that_is_away_for_longer_than_the_lease_stops_the_handler_which_is_run_anew() -> None:
    attempts = Attempts(gated=True)
    async with memory() as shared:
        line = Line(shared)
        async with running(line, attempts, poll=1.0, lease=LEASE) as runner:
            handle = await runner.schedule("work", 1)
            await until(lambda: attempts.begun == [1])
            line.cut = True
            await asyncio.sleep(LEASE - 2)
            assert attempts.cancelled == []
            await asyncio.sleep(4)
            assert attempts.cancelled == [1], "the handler went on although another runner may have the task"
            line.cut = False
            await until(lambda: len(attempts.begun) == 2)
            attempts.open()
            await until(lambda: attempts.ended == [1])
            await asyncio.sleep(1)
            assert await runner.get(handle) == "succeeded"
    assert [context.attempt for context in attempts.contexts] == [1, 2]


@virtual_time
async def test_a_drain_does_not_wait_for_a_store_that_is_away() -> None:
    attempts = Attempts(gated=True)
    async with memory() as shared:
        line = Line(shared)
        async with running(line, attempts, poll=1.0, lease=LEASE) as runner:
            handle = await runner.schedule("work", 1)
            await until(lambda: attempts.begun == [1])
            line.cut = True
            async with asyncio.timeout(10):
                await runner.drain(2)
        others = Attempts()
        async with running(shared, others, poll=1.0, lease=LEASE) as peer:
            await until(lambda: others.ended == [1])
            await asyncio.sleep(1)
            assert await peer.get(handle) == "succeeded"


@virtual_time
async def test_a_machine_that_slept_does_not_run_its_own_tasks_twice() -> None:
    attempts = Attempts(gated=True)
    async with memory() as store:
        clock = VirtualClock().bind()
        async with running(store, attempts, poll=1.0, lease=LEASE) as runner:
            handle = await runner.schedule("work", 1)
            await until(lambda: attempts.begun == [1])
            clock.advance(3600)
            await asyncio.sleep(5)
            assert (attempts.begun, attempts.cancelled) == ([1], [])
            attempts.open()
            await asyncio.sleep(1)
            assert await runner.get(handle) == "succeeded"


@virtual_time
async def test_one_that_has_the_store_to_itself_never_loses_a_lease() -> None:
    attempts = Attempts(gated=True)
    async with memory() as store, running(store, attempts, lease=LEASE) as runner:
        handle = await runner.schedule("work", "an hour's work")
        await asyncio.sleep(3600)
        attempts.open()
        await asyncio.sleep(1)
        assert await runner.get(handle) == "succeeded"
    assert attempts.begun == ["an hour's work"]


class _AnswersLate(InMemoryHostStateStore):
    """Keeps a claim at once, and says so when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed = asyncio.Event()
        self.answer = asyncio.Event()

    async def execute(self, *unit: Statement) -> list[Rows]:
        rows = await super().execute(*unit)
        if any(statement.name == "tasks.take" and found for statement, found in zip(unit, rows, strict=True)):
            self.claimed.set()
            await self.answer.wait()
        return rows


@virtual_time
async def test_what_is_claimed_while_a_drain_begins_is_given_back_unseen() -> None:
    attempts, store = Attempts(), _AnswersLate()
    await store.open()
    async with running(store, attempts) as runner:
        handle = await runner.schedule("work", 1, retry_policy=RetryPolicy(max_attempts=1))
        await store.claimed.wait()
        draining = asyncio.create_task(runner.drain(60))
        await asyncio.sleep(1)
        store.answer.set()
        await draining
        assert await runner.get(handle) == "scheduled"
    await store.close()
    assert attempts.begun == []


class _LosesAnswers(InMemoryHostStateStore):
    """Keeps units of these statements, and then loses the answer; once each."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = list(names)

    async def execute(self, *unit: Statement) -> list[Rows]:
        rows = await super().execute(*unit)
        lost = [statement.name for statement in unit if statement.name in self._names]
        if lost and (lost[0] != "tasks.take" or rows[1]):
            self._names.remove(lost[0])
            raise StateOutcomeUnknown("the connection broke during the commit")
        return rows


@virtual_time
async def test_a_claim_whose_answer_was_lost_is_given_back() -> None:
    attempts, busy = Attempts(), Attempts(gated=True)
    store = _LosesAnswers("tasks.take")
    await store.open()
    runner = bound(store, poll=1.0, lease=LEASE)
    runner.register("work", attempts)
    runner.register("busy", busy)
    await runner.resume()
    try:
        await runner.schedule("work", "lost", retry_policy=RetryPolicy(max_attempts=1), delay=1)
        await asyncio.sleep(1.5)
        await runner.schedule("busy", 1)
        await until(lambda: busy.begun == [1])
        await until(lambda: attempts.begun == ["lost"])
        assert attempts.contexts[0].attempt == 1
    finally:
        await runner.drain(0)
        await store.close()


@virtual_time
async def test_an_end_whose_answer_was_lost_is_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts()
    store = _LosesAnswers("tasks.end")
    await store.open()
    async with running(store, attempts, poll=1.0, lease=LEASE) as runner:
        handle = await runner.schedule("work", 1)
        await asyncio.sleep(5)
        assert await runner.get(handle) == "succeeded"
    await store.close()
    assert attempts.begun == [1]
    assert caplog.messages == []


async def test_a_store_of_one_process_is_taken_over_at_once_from_one_that_was_killed(tmp_path: Path) -> None:
    store = SqliteHostStateStore(tmp_path / "state.db", exclusive=True)
    await store.open()
    attempts, again = Attempts(gated=True), Attempts()
    line = Line(store)
    logger = logging.getLogger("tests.durable")

    async def begun(on: HostStateStore, handler: Attempts) -> InProcessTaskRunner:
        runner = InProcessTaskRunner(lease=600.0)
        runner.bind(RunnerServices(store=on, clock=SystemTime(), ids=RandomIds(), logger=logger))
        runner.register("work", handler)
        await runner.resume()
        return runner

    killed = await begun(line, attempts)
    handle = await killed.schedule("work", 1)
    async with asyncio.timeout(20):
        while not attempts.begun:
            await asyncio.sleep(0.01)
        line.cut = True
        successor = await begun(store, again)
        while await successor.get(handle) != "succeeded":
            await asyncio.sleep(0.01)
    await successor.drain(0)
    await killed.drain(0)
    await store.close()
    assert [context.attempt for context in again.contexts] == [2]


@virtual_time
async def test_a_store_of_its_own_is_opened_and_closed_by_the_runner() -> None:
    host, own = InMemoryHostStateStore(), InMemoryHostStateStore()
    attempts = Attempts()
    runner = bound(host, own)
    runner.register("work", attempts)
    assert runner.describe() == "in process, over memory (nothing survives a restart)"
    assert not runner.joins(host)
    await runner.resume()
    await runner.schedule("work", 1)
    await until(lambda: attempts.ended == [1])
    await runner.drain(0)
    with pytest.raises(StateUnavailable):
        await own.execute()


@virtual_time
async def test_ended_tasks_are_removed_when_nobody_asks_for_them_any_more() -> None:
    async with memory() as store, running(store, Attempts(), poll=1.0, keep=3600) as runner:
        handle = await runner.schedule("work", 1)
        await asyncio.sleep(3500)
        assert await runner.get(handle) == "succeeded"
        await asyncio.sleep(200)
        with pytest.raises(UnknownReference):
            await runner.get(handle)


@virtual_time
async def test_messages_of_errors_are_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(failures=1, error=RuntimeError("token=secret"))
    async with memory() as store, running(store, attempts) as runner:
        handle = await runner.schedule("work", "secret words", retry_policy=RetryPolicy(max_attempts=1))
        await asyncio.sleep(1)
        (rows,) = await store.execute(tasks.load_task(handle.task_id))
        assert await runner.get(handle) == "failed"
    found = tasks.read_task(rows)
    assert found is not None and found.last_error == "RuntimeError"
    assert not any("secret" in message for message in caplog.messages)
