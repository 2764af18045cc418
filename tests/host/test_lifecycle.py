"""Start, readiness, draining and stop (contract 1.4-1.9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from hosting import (
    AgentFrameworkHost,
    ChannelContribution,
    ChannelRequest,
    HostLimits,
    NotReady,
    StateDirInUse,
)
from hosting_testkit import InMemoryHost
from hosting_testkit.host import BASE_URL
from hosting_testkit.targets import Echo, Gate
from hosting_testkit.transports import LifespanFailed, StreamingASGITransport


class Lively:
    """A channel that only starts and stops."""

    def __init__(self, name: str, log: list[str], *, fails: str = "") -> None:
        self.name, self.path, self._log, self._fails = name, f"/{name}", log, fails

    def contribute(self, context: Any) -> ChannelContribution:
        self.context = context
        return ChannelContribution(on_startup=[self._start], on_shutdown=[self._stop])

    async def _start(self) -> None:
        self._log.append(f"start {self.name}")
        if self._fails == "start":
            raise RuntimeError(f"{self.name} cannot start")

    async def _stop(self) -> None:
        self._log.append(f"stop {self.name}")
        if self._fails == "stop":
            raise RuntimeError(f"{self.name} cannot stop")


async def test_channels_start_in_order_and_stop_in_reverse_once_each() -> None:
    log: list[str] = []
    async with InMemoryHost(Echo(), [Lively("a", log), Lively("b", log, fails="stop"), Lively("c", log)]):
        assert log == ["start a", "start b", "start c"]
    assert log[3:] == ["stop c", "stop b", "stop a"]


async def test_a_host_that_drains_hands_its_folder_over_and_the_next_one_waits_for_its_turns(
    tmp_path: Path, say_channel: Any
) -> None:
    gate = Gate()
    old = AgentFrameworkHost(gate, channels=[say_channel()], state_dir=tmp_path)
    new = AgentFrameworkHost(Echo(), channels=[say_channel()], state_dir=tmp_path)
    async with old:
        turn = asyncio.create_task(
            old.run(ChannelRequest(channel="say", operation="turn", input="last words"))
        )
        await gate.reached("last words")
        with pytest.raises(StateDirInUse):
            await new.__aenter__()
        old.begin_drain()
        next_one = asyncio.create_task(new.__aenter__())
        done, _ = await asyncio.wait([next_one], timeout=0.5)
        assert not done
        gate.release("last words")
        assert (await turn).text == "last words"
    await next_one
    answer = await new.run(ChannelRequest(channel="say", operation="turn", input="first words"))
    assert answer.text == "first words"
    await new.__aexit__(None, None, None)


async def test_the_first_startup_failure_is_raised_after_all_were_tried_and_stopped() -> None:
    log: list[str] = []
    channels = [Lively("a", log), Lively("b", log, fails="start"), Lively("c", log, fails="start")]
    with pytest.raises(LifespanFailed, match="b cannot start"):
        async with InMemoryHost(Echo(), channels):
            pass
    assert log[:3] == ["start a", "start b", "start c"]
    assert "stop a" in log


async def test_liveness_and_readiness_answer_from_the_host_in_every_method(say_channel: Any) -> None:
    async with InMemoryHost(Echo(), [say_channel(path="")]) as host:
        for path in ("/liveness", "/readiness"):
            assert (await host.get(path)).status_code == 200
            assert (await host.client.head(path)).content == b""
            refused = await host.post(path)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        assert (await host.get("/readiness/")).status_code == 404


async def test_readiness_names_what_is_not_ready_and_nothing_else(say_channel: Any) -> None:
    async with InMemoryHost(Echo(), [say_channel()]) as host:
        host.host.begin_drain()
        answer = await host.get("/readiness")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})


async def test_a_draining_host_refuses_new_turns_and_finishes_those_under_way(say_channel: Any) -> None:
    gate = Gate()
    async with InMemoryHost(gate, [say_channel()]) as host, asyncio.TaskGroup() as group:
        running = group.create_task(host.post("/say", json={"say": "one"}))
        await gate.reached("one")
        host.host.begin_drain()
        refused = await host.post("/say", json={"say": "two"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
        assert int(refused.headers["retry-after"]) >= 1
        gate.release("one")
        assert (await running).json() == {"said": ["one"]}


async def test_a_turn_that_outlasts_the_drain_ends_failed_inside_the_protocol(say_channel: Any) -> None:
    gate = Gate()
    host = AgentFrameworkHost(gate, channels=[say_channel()], limits=HostLimits(drain_timeout=0))
    transport = StreamingASGITransport(host.app)
    async with (
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
        asyncio.TaskGroup() as group,
    ):
        async with host:
            running = group.create_task(client.post("/say", json={"say": "one"}))
            await gate.reached("one")
        answer = await running
    assert answer.json()["error"]["code"] == "shutting_down"
    assert gate.waiting("one") == 0


async def test_nothing_is_left_after_the_host_has_stopped(say_channel: Any) -> None:
    before = asyncio.all_tasks()
    log: list[str] = []
    lively = Lively("a", log)
    async with InMemoryHost(Echo(), [say_channel(), lively]) as host:
        lively.context.spawn(asyncio.Event().wait(), name="worker")
        await host.post("/say", json={"say": "x", "session": "s"})
    assert asyncio.all_tasks() == before


async def test_a_mounted_application_gets_its_lifespan() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        log.append("in")
        yield
        log.append("out")

    class Mounting:
        name, path = "mounting", "/m"

        def contribute(self, context: Any) -> ChannelContribution:
            inner = Starlette(routes=[Route("/x", lambda request: PlainTextResponse("x"))], lifespan=lifespan)
            return ChannelContribution(routes=[Mount("/inner", app=inner)])

    async with InMemoryHost(Echo(), [Mounting()]) as host:
        assert (await host.get("/m/inner/x")).text == "x"
        assert log == ["in"]
    assert log == ["in", "out"]


async def test_turns_run_without_http_inside_the_hosts_own_lifespan(say_channel: Any) -> None:
    from hosting import ChannelRequest

    host = AgentFrameworkHost(Echo(), channels=[say_channel()])
    async with host:
        assert (await host.run(ChannelRequest(channel="say", input="hello"))).text == "hello"


async def test_a_turn_outside_the_lifespan_is_refused(say_channel: Any) -> None:
    from hosting import ChannelRequest

    host = AgentFrameworkHost(Echo(), channels=[say_channel()])
    with pytest.raises(NotReady):
        await host.run(ChannelRequest(channel="say", input="hello"))


async def test_a_host_starts_again_after_it_has_stopped(say_channel: Any) -> None:
    from hosting import ChannelRequest

    host = AgentFrameworkHost(Echo(), channels=[say_channel()])
    for _ in range(2):
        async with host:
            assert (await host.run(ChannelRequest(channel="say", input="hello"))).text == "hello"


async def test_a_stop_that_awaits_a_task_it_cancelled_does_not_skip_the_others() -> None:
    log: list[str] = []

    class Careless(Lively):
        async def _stop(self) -> None:
            task = asyncio.create_task(asyncio.Event().wait())
            await asyncio.sleep(0)
            task.cancel()
            await task

    async with InMemoryHost(Echo(), [Lively("a", log), Careless("b", log)]):
        pass
    assert log == ["start a", "start b", "stop a"]
