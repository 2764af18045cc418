"""Events of a host that is gone are taken over by another one (contract 4.3, 4.5, 6.7, 14.4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from hosting import HostedRunResult, HostLimits, InMemoryHostStateStore, TimeSource
from hosting.state.tables import instances
from hosting_testkit import InMemoryHost, VirtualClock, VirtualLoop, virtual_time
from hosting_testkit.targets import Echo, Gate, Recorder
from tests.host.shared_state import Line
from tests.host.test_delivery import Platform, bot_host, deliver


@dataclass
class Replica:
    """One of several hosts on a state, with a platform of its own to see who answered."""

    line: Line
    platform: Platform
    target: Any
    host: InMemoryHost


@asynccontextmanager
async def replicas(
    *targets: Any, limits: HostLimits | None = None, clock: TimeSource | None = None
) -> AsyncIterator[Sequence[Replica]]:
    state = InMemoryHostStateStore()
    options: dict[str, Any] = {} if clock is None else {"time_source": clock}
    await state.open()
    async with AsyncExitStack() as stack:
        running: list[Replica] = []
        for target in targets:
            line, platform = Line(state), Platform()
            host = await stack.enter_async_context(
                bot_host(target, platform, state=line, limits=limits or HostLimits(), **options)
            )
            running.append(Replica(line, platform, target, host))
        yield running
        for replica in running:
            replica.line.cut = False
    await state.close()


@virtual_time
async def test_an_event_of_a_host_that_lost_the_state_is_run_by_another_one() -> None:
    gate, recorder = Gate(), Recorder(Echo())
    async with replicas(gate, recorder) as (first, second):
        assert await deliver(first.host, "hello", id="1") == 200
        await gate.reached("hello")
        first.line.cut = True
        assert await second.platform.texts(1) == ["hello"]
        gate.release("hello")
        first.line.cut = False
        await asyncio.sleep(60)
        assert first.platform.sent == []
        assert len(second.platform.sent) == 1
    (run,) = recorder.runs
    assert run.hosting["attempt"] == 2


@virtual_time
async def test_a_host_that_lost_the_state_gives_its_turns_up_before_others_take_over() -> None:
    gate = Gate()
    async with replicas(gate, Echo()) as (first, second):
        await deliver(first.host, "hello", id="1")
        await gate.reached("hello")
        first.line.cut = True
        await asyncio.sleep(14)
        assert gate.waiting("hello") == 0
        assert second.platform.sent == []
        await second.platform.texts(1)


@virtual_time
async def test_an_attempt_keeps_the_id_of_its_turn() -> None:
    gate, recorder = Gate(), Recorder(Echo())
    first_runs = Recorder(gate)
    async with replicas(first_runs, recorder) as (first, second):
        await deliver(first.host, "hello", id="1")
        await gate.reached("hello")
        first.line.cut = True
        await second.platform.texts(1)
    assert first_runs.runs[0].hosting["turn_id"] == recorder.runs[0].hosting["turn_id"]


@virtual_time
async def test_an_event_that_takes_every_host_down_is_given_up_with_an_apology() -> None:
    gates = [Gate() for _ in range(3)]
    async with replicas(*gates, Echo(), limits=HostLimits(turn_attempts=3)) as hosts:
        hosts[3].line.cut = True
        await deliver(hosts[0].host, "poison", id="1")
        for _ in gates:
            taker = await whoever_runs(hosts[:3])
            taker.line.cut = True
            await taken_down(taker)
        hosts[3].line.cut = False
        (text,) = await hosts[3].platform.texts(1)
        await asyncio.sleep(60)
        assert "something went wrong" in text
        assert len(hosts[3].platform.sent) == 1


async def whoever_runs(hosts: Sequence[Replica]) -> Replica:
    while True:
        for replica in hosts:
            if replica.target.waiting("poison"):
                return replica
        await asyncio.sleep(1)


async def taken_down(replica: Replica) -> None:
    while replica.target.waiting("poison"):
        await asyncio.sleep(1)


@virtual_time
async def test_a_reply_that_was_seen_in_part_is_not_run_again_and_ends_as_interrupted() -> None:
    gate, recorder = Gate(), Recorder(Echo())
    async with replicas(gate, recorder) as (first, second):
        channel = first.host.host._channels["bot"]
        shown = channel.context.mark_seen

        async def run(request: Any, event: Any) -> HostedRunResult[Any]:
            await shown(["m7"])
            return await channel.context.run(request)

        channel.run = run
        await deliver(first.host, "hello", id="1")
        await gate.reached("hello")
        first.line.cut = True
        (text,) = await second.platform.texts(1)
        assert "something went wrong" in text
        assert recorder.runs == []


@virtual_time
async def test_a_clock_that_was_set_back_delays_a_take_over_by_one_lease_only() -> None:
    gate, recorder = Gate(), Recorder(Echo())
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = VirtualClock().bind(loop)
    async with replicas(gate, recorder, Echo(), clock=clock) as (first, second, third):
        await deliver(first.host, "hello", id="1")
        await gate.reached("hello")
        first.line.cut = True
        clock.skew(-3600.0)
        await asyncio.sleep(40)
        texts = [text for replica in (second, third) for _, _, text in replica.platform.sent]
        assert texts == ["hello"]
        now = int(clock.now() * 1000)
        counted = (await second.host.host.store.execute(instances.count_instances(now_ms=now)))[0]
        assert instances.read_number(counted) == 2
