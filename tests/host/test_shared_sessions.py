"""One turn at a time per session over several hosts, in the order of asking (contract 4.8, 6.2, 6.7, 6.8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from hosting import (
    ChannelRequest,
    ChannelSession,
    HostedRunResult,
    HostLimits,
    InMemoryHostStateStore,
    RateLimited,
    RunFailed,
    TurnInProgress,
)
from hosting.state import StateUnavailable
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Counting, Gate
from tests.host.shared_state import Line

Cluster = Sequence[tuple[InMemoryHost, Line]]


@asynccontextmanager
async def cluster(
    target: Any, channel: Callable[[], Any], *, hosts: int = 2, **limits: Any
) -> AsyncIterator[Cluster]:
    state = InMemoryHostStateStore()
    await state.open()
    async with AsyncExitStack() as stack:
        running: list[tuple[InMemoryHost, Line]] = []
        for _ in range(hosts):
            line = Line(state)
            host = InMemoryHost(target, [channel()], state=line, limits=HostLimits(**limits))
            running.append((await stack.enter_async_context(host), line))
        yield running
        for _, line in running:
            line.cut = False
    await state.close()


async def say(
    host: InMemoryHost, text: str, *, key: str = "s", parent: str | None = None
) -> HostedRunResult[Any]:
    session = ChannelSession("me", key=key, parent_key=parent)
    return await host.host.run(ChannelRequest(channel="say", input=text, session=session))


@virtual_time
async def test_a_session_goes_on_at_any_host(say_channel: Any) -> None:
    async with cluster(Counting(), say_channel) as ((one, _), (two, _)):
        answers = [(await say(host, "x")).text for host in (one, two, two, one, two)]
        forks = [(await say(host, "x", key=f"f{n}", parent="s")).text for n, host in enumerate((one, two))]
    assert answers == [f"turn {n}" for n in range(1, 6)]
    assert forks == ["turn 6", "turn 6"]


@virtual_time
async def test_turns_of_one_session_never_overlap_and_keep_their_order(say_channel: Any) -> None:
    gate = Gate()
    async with cluster(gate, say_channel, hosts=3) as hosts, asyncio.TaskGroup() as group:
        turns: list[asyncio.Task[Any]] = []
        for number in range(6):
            turns.append(group.create_task(say(hosts[number % 3][0], f"t{number}")))
            await asyncio.sleep(0.01)
        for number in range(6):
            await gate.reached(f"t{number}")
            assert [name for name in (f"t{n}" for n in range(6)) if gate.waiting(name)] == [f"t{number}"]
            gate.release(f"t{number}")


@virtual_time
async def test_sessions_do_not_wait_for_each_other(say_channel: Any) -> None:
    gate = Gate()
    async with cluster(gate, say_channel) as ((one, _), (two, _)), asyncio.TaskGroup() as group:
        for host, key in ((one, "a"), (two, "b")):
            group.create_task(say(host, key, key=key))
        await gate.reached("a")
        await gate.reached("b")
        gate.release("a")
        gate.release("b")


@virtual_time
async def test_reject_sees_the_turns_of_other_hosts(say_channel: Any) -> None:
    gate = Gate()
    async with cluster(gate, say_channel, turn_policy="reject") as ((one, _), (two, _)):
        first = asyncio.create_task(say(one, "first"))
        await gate.reached("first")
        with pytest.raises(TurnInProgress):
            await say(two, "second")
        gate.release("first")
        assert (await first).text == "first"


@virtual_time
async def test_interrupt_ends_a_turn_of_another_host(say_channel: Any) -> None:
    gate = Gate()
    async with cluster(gate, say_channel, turn_policy="interrupt") as ((one, _), (two, _)):
        first = asyncio.create_task(say(one, "first"))
        await gate.reached("first")
        second = asyncio.create_task(say(two, "second"))
        assert (await first).status == "cancelled"
        await gate.reached("second")
        gate.release("second")
        assert (await second).text == "second"


@virtual_time
async def test_the_line_is_bounded_over_all_hosts(say_channel: Any) -> None:
    gate = Gate()
    async with (
        cluster(gate, say_channel, session_queue=1) as ((one, _), (two, _)),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(say(one, "first"))
        await gate.reached("first")
        group.create_task(say(two, "second"))
        await asyncio.sleep(0.1)
        with pytest.raises(RateLimited):
            await say(one, "third")
        gate.release("first")
        gate.release("second")


@virtual_time
async def test_who_leaves_the_line_holds_nobody_up(say_channel: Any) -> None:
    gate = Gate()
    async with cluster(gate, say_channel) as ((one, _), (two, _)), asyncio.TaskGroup() as group:
        group.create_task(say(one, "first"))
        await gate.reached("first")
        leaver = asyncio.create_task(say(two, "second"))
        await asyncio.sleep(0.1)
        group.create_task(say(one, "third"))
        await asyncio.sleep(0.1)
        leaver.cancel()
        gate.release("first")
        await gate.reached("third")
        gate.release("third")


@virtual_time
async def test_a_session_whose_host_is_gone_is_free_after_its_lease_and_what_it_did_is_not_saved(
    say_channel: Any,
) -> None:
    gate = Gate()
    async with cluster(gate, say_channel) as ((one, line), (two, _)):
        first = asyncio.create_task(say(one, "first"))
        await gate.reached("first")
        line.cut = True
        began = asyncio.get_running_loop().time()
        second = asyncio.create_task(say(two, "second"))
        await gate.reached("second", timeout=30)
        assert 5 < asyncio.get_running_loop().time() - began <= 16
        with pytest.raises(RunFailed) as told:
            await first
        assert told.value.code == "interrupted"
        gate.release("second")
        await second


@virtual_time
async def test_a_lock_that_could_not_be_released_in_time_is_released_later(say_channel: Any) -> None:
    gate = Gate()
    async with cluster(gate, say_channel) as ((one, line), (two, _)):
        first = asyncio.create_task(say(one, "first"))
        await gate.reached("first")
        line.cut = True
        gate.release("first")
        with pytest.raises(StateUnavailable):
            await first
        line.cut = False
        second = asyncio.create_task(say(two, "second"))
        await gate.reached("second", timeout=30)
        gate.release("second")
        await second
