"""The adapter for procrastinate beside what the suite asks: its set-up, its logs, what it adds to the engine."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from procrastinate.jobs import Status

from hosting import ChannelConfigurationError, InMemoryHostStateStore, RandomIds, SystemTime, UnknownReference
from hosting.durable import (
    DurableTaskRunner,
    ProcrastinateTaskRunner,
    RetryPolicy,
    RunnerServices,
    TaskHandle,
    TaskRejected,
)
from hosting.durable.on_procrastinate.job import STATUSES
from hosting.state import HostStateStore, PostgresHostStateStore, StateUnavailable
from hosting_testkit.runners import Attempts
from tests.durable.procrastinate_harness import ProcrastinateHarness, url_of
from tests.state import postgres_server


@pytest.fixture
async def harness(schema: str) -> AsyncIterator[ProcrastinateHarness]:
    harness = ProcrastinateHarness(schema, ())
    await harness.open()
    yield harness
    await harness.close()


def services(store: HostStateStore) -> RunnerServices:
    logger = logging.getLogger("tests.durable")
    return RunnerServices(store=store, clock=SystemTime(), ids=RandomIds(), logger=logger)


def test_without_the_extra_the_error_names_it() -> None:
    script = """
import sys
sys.modules["procrastinate"] = None
import hosting.durable
try:
    hosting.durable.ProcrastinateTaskRunner("postgresql://127.0.0.1/test")
except hosting.ChannelConfigurationError as error:
    assert "procrastinate not installed; install hosting[procrastinate]" in str(error), error
else:
    raise SystemExit("no error")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_it_is_a_runner_and_says_what_it_is() -> None:
    runner = ProcrastinateTaskRunner("postgresql://user:secret@db/app")
    assert isinstance(runner, DurableTaskRunner)
    assert not runner.in_process
    assert runner.describe() == "procrastinate, queue hosting"


def test_every_state_of_the_engine_has_one_of_ours() -> None:
    assert set(STATUSES) == {status.value for status in Status}


def test_another_store_than_postgresql_is_refused() -> None:
    with pytest.raises(
        ChannelConfigurationError, match=r"beside a store that is memory .*, expected PostgreSQL"
    ):
        ProcrastinateTaskRunner("postgresql://db/app").bind(services(InMemoryHostStateStore()))


async def test_two_places_for_jobs_are_refused(harness: ProcrastinateHarness, schema: str) -> None:
    runner = ProcrastinateTaskRunner(url_of(schema))
    store = PostgresHostStateStore(postgres_server.URL, schema=schema)  # looks for names elsewhere
    await store.open()
    try:
        runner.bind(services(store))
        with pytest.raises(
            ChannelConfigurationError, match="expected one table: give both the same database"
        ):
            await runner.resume()
    finally:
        await store.close()


async def test_a_server_that_is_not_there_is_unavailable(harness: ProcrastinateHarness) -> None:
    runner = ProcrastinateTaskRunner(
        "postgresql://me:secret@127.0.0.1:1/app?connect_timeout=1", connect_timeout=0.5
    )
    runner.bind(services(harness.the_store))
    with pytest.raises(StateUnavailable) as away:
        await runner.resume()
    assert "secret" not in str(away.value)
    with pytest.raises(StateUnavailable, match="call resume"):
        await runner.get(TaskHandle("task_1", "work"))


async def test_missing_tables_are_not_made_when_that_is_not_wanted(
    harness: ProcrastinateHarness, schema: str
) -> None:
    runner = ProcrastinateTaskRunner(url_of(schema), apply_schema=False)
    runner.bind(services(harness.the_store))
    with pytest.raises(ChannelConfigurationError, match="procrastinate schema --apply"):
        await runner.resume()
    assert harness.run("SELECT to_regclass('procrastinate_jobs')") == [(None,)]


async def test_tables_of_an_older_release_are_refused(harness: ProcrastinateHarness) -> None:
    async with harness.running({}):
        pass
    harness.run("ALTER FUNCTION procrastinate_retry_job_v2 RENAME TO procrastinate_retry_job_v0")
    with pytest.raises(
        ChannelConfigurationError, match="without procrastinate_retry_job_v2: apply its migrations"
    ):
        async with harness.running({}):
            pass


async def test_replicas_that_start_at_once_make_the_tables_once(harness: ProcrastinateHarness) -> None:
    runners = [harness.make() for _ in range(4)]
    await asyncio.gather(*(runner.resume() for runner in runners))
    await asyncio.gather(*(runner.drain(0) for runner in runners))


async def test_payloads_reach_no_log_of_ours_or_the_engines(
    harness: ProcrastinateHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fine, bad = Attempts(), Attempts(failures=9, error=TaskRejected("no"))
    async with harness.running({"fine": fine, "bad": bad}) as runner:
        for name in ("fine", "bad", "nobody"):
            await runner.schedule(name, {"text": "secret words"})
        damaged = await harness.schedule_damaged(runner, "fine", "k")
        assert damaged is not None
        last = await runner.schedule("fine", "secret words", key="k")
        await harness.until_status(runner, last, "succeeded")
    records = [
        json.dumps({**vars(record), "text": record.getMessage()}, default=str) for record in caplog.records
    ]
    assert any("procrastinate" in record for record in records), "the engine's log was not seen"
    assert [record for record in records if "secret" in record] == []


async def test_a_job_that_is_none_of_ours_is_dead_and_reported(harness: ProcrastinateHarness) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        harness.run(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
            """VALUES ('hosting', 'work', '{"context": 1, "payload": "x"}')"""
        )
        fine = await runner.schedule("work", "fine")
        await harness.until_status(runner, fine, "succeeded")
        await harness.until(
            lambda: (
                harness.run("SELECT CAST(status AS text) FROM procrastinate_jobs WHERE id = 1")
                == [("failed",)]
            ),
            "the end of the foreign job",
        )
    assert attempts.begun == ["fine"]
    assert any("of job 1" in line for line in harness.errors)


async def test_a_job_without_attempts_left_is_dead_and_not_run(harness: ProcrastinateHarness) -> None:
    """As after a manual `procrastinate retry`: the budget is spent, whoever puts the job back."""
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1, delay=1, retry_policy=RetryPolicy(max_attempts=2))
        harness.run("UPDATE procrastinate_jobs SET attempts = 2")
        await harness.until_status(runner, handle, "failed")
    assert attempts.begun == []
    assert any(handle.task_id in line and "out_of_attempts" in line for line in harness.errors)


async def test_the_rescue_ends_what_has_no_attempt_left_and_what_was_cancelled(
    harness: ProcrastinateHarness,
) -> None:
    attempts, policies = Attempts(), {"again": 2, "spent": 1, "cancelled": 2}
    async with harness.running({"work": attempts}) as runner:
        handles = {
            name: await runner.schedule("work", name, delay=3600, retry_policy=RetryPolicy(max_attempts=most))
            for name, most in policies.items()
        }
        for name, handle in handles.items():
            harness.run(
                f"UPDATE procrastinate_jobs SET status = 'doing', abort_requested = {name == 'cancelled'} "
                f"WHERE args ->> 'task_id' = '{handle.task_id}'"
            )
        await harness.until_status(runner, handles["spent"], "failed")
        await harness.until_status(runner, handles["cancelled"], "cancelled")
        await harness.until_status(runner, handles["again"], "succeeded")
    assert [(context.task_id, context.attempt) for context in attempts.contexts] == [
        (handles["again"].task_id, 2)
    ]
    (report,) = harness.errors
    assert handles["spent"].task_id in report and "ended with its runner" in report


async def test_ended_jobs_are_removed_after_their_time_and_open_ones_are_not(
    harness: ProcrastinateHarness, schema: str
) -> None:
    async with harness.running({"work": Attempts()}) as runner:
        ended = await runner.schedule("work", 1)
        await harness.until_status(runner, ended, "succeeded")
        open_one = await runner.schedule("work", 2, delay=3600)
        recent = await runner.schedule("work", 3)
        await harness.until_status(runner, recent, "succeeded")
        harness.run(
            "UPDATE procrastinate_events SET at = now() - INTERVAL '2 hours' WHERE job_id IN "
            f"(SELECT id FROM procrastinate_jobs WHERE args ->> 'task_id' IN ('{ended.task_id}', '{open_one.task_id}'))"
        )
    runner = ProcrastinateTaskRunner(url_of(schema), keep=3600)
    runner.bind(services(harness.the_store))
    await runner.resume()
    try:
        await harness.until(
            lambda: harness.run("SELECT count(*) FROM procrastinate_jobs") == [(2,)],
            "the removal of the old job",
        )
        with pytest.raises(UnknownReference):
            await runner.get(ended)
        assert await runner.get(open_one) == "scheduled"
        assert await runner.get(recent) == "succeeded"
    finally:
        await runner.drain(0)


async def test_a_runner_whose_connections_were_cut_goes_on(
    harness: ProcrastinateHarness, schema: str
) -> None:
    attempts = Attempts()
    async with harness.running({"work": attempts}) as runner:
        first = await runner.schedule("work", 1)
        await harness.until_status(runner, first, "succeeded")
        harness.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE pid <> pg_backend_pid() AND application_name = '{schema}'"
        )
        second = await _scheduled_in_the_end(runner, 2)
        await harness.until(lambda: 2 in attempts.ended, "the task after the cut")
    assert second is not None


async def test_the_next_of_a_key_does_not_wait_for_a_poll(harness: ProcrastinateHarness, schema: str) -> None:
    attempts = Attempts(gated=True)
    runner = ProcrastinateTaskRunner(url_of(schema), poll=600.0)
    runner.bind(services(harness.the_store))
    runner.register("work", attempts)
    await runner.resume()
    try:
        handles = [await runner.schedule("work", number, key="k") for number in range(4)]
        await harness.until(lambda: attempts.begun == [0], "the first task")
        assert await runner.cancel(handles[1])
        attempts.open()
        await harness.until_status(runner, handles[3], "succeeded")
    finally:
        await runner.drain(0)
    assert attempts.begun == [0, 2, 3]


async def test_a_worker_that_breaks_is_followed_by_another(harness: ProcrastinateHarness) -> None:
    attempts, long = Attempts(), Attempts(gated=True)
    async with harness.running({"work": attempts, "long": long}) as runner:
        cut_off = await runner.schedule("long", 1, retry_policy=RetryPolicy(max_attempts=1))
        await harness.until(lambda: long.begun == [1], "the long task's first attempt")
        harness.run("ALTER FUNCTION procrastinate_fetch_job_v2 RENAME TO procrastinate_fetch_job_v0")
        handle = await runner.schedule("work", 2)
        await harness.until(lambda: long.cancelled == [1], "the end of the broken worker's task")
        harness.run("ALTER FUNCTION procrastinate_fetch_job_v0 RENAME TO procrastinate_fetch_job_v2")
        await harness.until_status(runner, handle, "succeeded")
        long.open()
        await harness.until_status(runner, cut_off, "succeeded")


async def test_an_end_that_cannot_be_stored_now_is_stored_later(harness: ProcrastinateHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", 1, key="k")
        behind = await runner.schedule("work", 2, key="k")
        await harness.until(lambda: attempts.begun == [1], "the task's first attempt")
        harness.run("ALTER FUNCTION procrastinate_finish_job_v1 RENAME TO procrastinate_finish_job_v0")
        attempts.open()
        await harness.until(lambda: attempts.ended == [1], "the end of the handler")
        await asyncio.sleep(0.2)
        assert await runner.get(handle) == "running"
        harness.run("ALTER FUNCTION procrastinate_finish_job_v0 RENAME TO procrastinate_finish_job_v1")
        await harness.until_status(runner, handle, "succeeded")
        await harness.until_status(runner, behind, "succeeded")
    assert attempts.begun == [1, 2]


async def _scheduled_in_the_end(runner: DurableTaskRunner, payload: Any) -> Any:
    for _ in range(50):
        try:
            return await runner.schedule("work", payload)
        except StateUnavailable:
            await asyncio.sleep(0.1)
    return None


async def test_queues_do_not_see_each_other(harness: ProcrastinateHarness, schema: str) -> None:
    ours, theirs = Attempts(), Attempts()
    async with harness.running({"work": ours}) as runner:
        other = ProcrastinateTaskRunner(url_of(schema), queue="other", poll=0.05)
        other.bind(services(harness.the_store))
        other.register("work", theirs)
        await other.resume()
        try:
            first = await runner.schedule("work", "ours", key="k")
            second = await other.schedule("work", "theirs", key="k")
            await harness.until_status(runner, first, "succeeded")
            await harness.until_status(other, second, "succeeded")
            with pytest.raises(UnknownReference):
                await other.get(first)
        finally:
            await other.drain(0)
    assert (ours.begun, theirs.begun) == (["ours"], ["theirs"])
