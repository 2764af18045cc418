"""A host runs its app's durable tasks, and knows where it must not (contract 1.9, 11)."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from hosting import (
    AgentFrameworkHost,
    ChannelConfigurationError,
    DurableTaskRunner,
    HostStatePaths,
    InProcessTaskRunner,
    PostgresHostStateStore,
    ProcrastinateTaskRunner,
    SqliteHostStateStore,
    TaskContext,
)
from hosting.state import StateUnavailable
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Echo, Gate
from tests.durable.procrastinate_harness import url_of
from tests.host.test_configuration import Bare
from tests.host.test_delivery import Platform, bot_host, deliver
from tests.state import postgres_server


class Reminders:
    """A handler, and what it was called with."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.sent: list[Any] = []
        self.attempts: list[int] = []
        self.hangs = hangs
        self._called = asyncio.Event()

    async def __call__(self, payload: Any, context: TaskContext) -> None:
        self.attempts.append(context.attempt)
        self._called.set()
        if self.hangs:
            await asyncio.Event().wait()
        self.sent.append(payload)

    async def called(self) -> None:
        await self._called.wait()


def runner_with(handler: Reminders) -> InProcessTaskRunner:
    runner = InProcessTaskRunner()
    runner.register("remind", handler)
    return runner


@virtual_time
async def test_a_task_of_the_app_runs_in_the_host_that_lives() -> None:
    handler = Reminders()
    async with InMemoryHost(Echo(), [Bare()], durable_task_runner=runner_with(handler)) as memory:
        handle = await memory.host.durable_task_runner.schedule("remind", {"to": "ann"}, delay=60.0)
        await asyncio.sleep(59)
        assert await memory.host.durable_task_runner.get(handle) == "scheduled"
        await asyncio.sleep(2)
        assert await memory.host.durable_task_runner.get(handle) == "succeeded"
    assert handler.sent == [{"to": "ann"}]


async def test_a_task_that_was_scheduled_before_a_stop_runs_after_the_next_start(tmp_path: Path) -> None:
    first, second = Reminders(hangs=True), Reminders()
    async with AgentFrameworkHost(
        Echo(), channels=[Bare()], state_dir=tmp_path, durable_task_runner=runner_with(first)
    ) as host:
        await host.durable_task_runner.schedule("remind", 1)
        await first.called()
        host.begin_drain()
    assert first.sent == []
    async with AgentFrameworkHost(
        Echo(), channels=[Bare()], state_dir=tmp_path, durable_task_runner=runner_with(second)
    ):
        await second.called()
    assert (second.sent, second.attempts) == ([1], [1])


@virtual_time
async def test_a_drain_gives_tasks_the_time_that_turns_have() -> None:
    handler = Reminders(hangs=True)
    async with InMemoryHost(Echo(), [Bare()], durable_task_runner=runner_with(handler)) as memory:
        await memory.host.durable_task_runner.schedule("remind", 1)
        await handler.called()
        clock = asyncio.get_running_loop().time
        before = clock()
        await memory.shutdown()
        assert clock() - before == pytest.approx(memory.host.limits.drain_timeout)


async def test_a_task_is_planned_in_the_unit_of_something_else(tmp_path: Path) -> None:
    handler, store = Reminders(), SqliteHostStateStore(tmp_path / "hosting.db")
    host = AgentFrameworkHost(
        Echo(), channels=[Bare()], state=store, durable_task_runner=runner_with(handler)
    )
    async with host:
        runner = host.durable_task_runner
        assert runner.joins(host.store)
        planned = runner.plan("remind", "planned")
        await host.store.execute(*planned.statements)
        runner.wake()
        await handler.called()
    assert handler.sent == ["planned"]


async def test_tasks_may_have_a_folder_of_their_own(tmp_path: Path) -> None:
    paths = HostStatePaths(sessions=tmp_path / "sessions", runner=tmp_path / "tasks")
    host = AgentFrameworkHost(Echo(), channels=[Bare()], state_dir=paths)
    handler = Reminders()
    host.durable_task_runner.register("remind", handler)
    async with host:
        assert not host.durable_task_runner.joins(host.store)
        await host.durable_task_runner.schedule("remind", 1)
        await handler.called()
        assert (tmp_path / "tasks" / "hosting.db").exists()
    with pytest.raises(StateUnavailable):
        await host.durable_task_runner.schedule("remind", 2)


class Reluctant(InProcessTaskRunner):
    """Cannot start."""

    async def resume(self) -> None:
        raise StateUnavailable("no tasks today")


async def test_a_runner_that_cannot_start_stops_what_was_started() -> None:
    host = AgentFrameworkHost(Echo(), channels=[Bare()], durable_task_runner=Reluctant())
    with pytest.raises(StateUnavailable, match="no tasks today"):
        async with host:
            pass
    with pytest.raises(StateUnavailable):
        await host.store.execute()


async def test_the_start_line_names_runner_and_runtime(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hosting"):
        async with AgentFrameworkHost(Echo(), channels=[Bare()]):
            pass
        async with AgentFrameworkHost(Echo(), channels=[Bare()], runtime_mode="ephemeral"):
            pass
    lines = [record.message for record in caplog.records if record.message.startswith("serving")]
    assert lines[0].endswith("; durable tasks: in process; runtime: long_running")
    assert lines[1].endswith("; durable tasks: none; runtime: ephemeral")


def test_without_a_runner_asking_for_it_says_what_to_do() -> None:
    host = AgentFrameworkHost(Echo(), channels=[Bare()], runtime_mode="ephemeral")
    with pytest.raises(ChannelConfigurationError, match=r"^host\.durable_task_runner: .*ephemeral"):
        _ = host.durable_task_runner


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"durable_task_runner": object()}, "host.durable_task_runner: found object, expected"),
        (
            {"durable_task_runner": InProcessTaskRunner(), "runtime_mode": "ephemeral"},
            "host.durable_task_runner: ",
        ),
        (
            {"durable_task_runner": ProcrastinateTaskRunner("postgresql://db/x")},
            "host.durable_task_runner: found procrastinate beside a store that is memory",
        ),
    ],
)
def test_a_runner_that_cannot_work_here_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ChannelConfigurationError) as caught:
        AgentFrameworkHost(Echo(), channels=[Bare()], **options)
    assert str(caught.value).startswith(said)


def test_a_platform_that_freezes_processes_is_known_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "chat")

    class Poller(Bare):
        transport = "polling"

        async def process(self, event: Any) -> None: ...

    with pytest.raises(ChannelConfigurationError, match=r"bare\.transport: this process runs on AWS Lambda"):
        AgentFrameworkHost(Echo(), channels=[Poller()])
    with pytest.raises(ChannelConfigurationError, match="AWS Lambda"):
        _ = AgentFrameworkHost(Echo(), channels=[Bare()]).durable_task_runner
    stays = AgentFrameworkHost(Echo(), channels=[Poller()], runtime_mode="long_running")
    assert isinstance(stays.durable_task_runner, DurableTaskRunner)


@virtual_time
async def test_where_the_process_does_not_stay_an_event_is_answered_before_it_is_acknowledged() -> None:
    platform = Platform(trouble=[httpx.Response(429, headers={"retry-after": "3"})])
    async with bot_host(Echo(), platform, runtime_mode="ephemeral") as host:
        assert await deliver(host, "hello", id="1") == 200
        assert [text for _, _, text in platform.sent] == ["hello"]
        assert await deliver(host, "hello", id="1") == 200
        assert [text for _, _, text in platform.sent] == ["hello"]


@virtual_time
async def test_an_event_that_waits_when_the_host_drains_is_left_to_the_next_process() -> None:
    platform, gate = Platform(), Gate()
    async with bot_host(gate, platform, runtime_mode="ephemeral") as host:
        first = asyncio.create_task(deliver(host, "one", id="1"))
        await gate.reached("one")
        second = asyncio.create_task(deliver(host, "two", id="2"))
        done, _ = await asyncio.wait([second], timeout=5)
        assert not done
        host.host.begin_drain()
        assert await second == 200
        gate.release("one")
        assert await first == 200
        gate.release("two")
        await host.restart()
        assert await platform.texts(2) == ["one", "two"]


async def test_an_engine_elsewhere_runs_what_was_planned_in_the_host_s_own_unit() -> None:
    with postgres_server.own_schema() as schema:
        handler = Reminders()
        runner = ProcrastinateTaskRunner(url_of(schema), poll=0.05)
        runner.register("remind", handler)
        store = PostgresHostStateStore(url_of(schema), schema=schema, pool_size=2)
        host = AgentFrameworkHost(
            Echo(), channels=[Bare()], state=store, durable_task_runner=runner, runtime_mode="ephemeral"
        )
        async with host:
            planned = runner.plan("remind", "planned")
            await host.store.execute(*planned.statements)
            runner.wake()
            await handler.called()
    assert handler.sent == ["planned"]
