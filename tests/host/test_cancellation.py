"""Cancelled at any await, once or twice: nothing held, nothing half-saved, the next turn works (contract 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from hosting import (
    HostLimits,
    RateLimited,
    RunFailed,
)
from hosting.turn.slots import RunSlots
from hosting_testkit import InMemoryHost
from hosting_testkit.stepped_tasks import SteppedTasks, SuspensionPoint
from hosting_testkit.targets import Counting, Failing, Gate, Hang, Scripted
from tests.host.stores import memory, sqlite, threaded
from tests.host.turns import request, run

ONE_OF_EACH = HostLimits(max_concurrent_runs=1, run_queue=0, session_queue=0, stream_buffer=1)
"""Under these limits a slot or a session that was not given back refuses the next turn."""

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
POINTS = 70


async def after(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def cancelled(work: Coroutine[Any, Any, Any], *waits: int) -> asyncio.Task[Any]:
    """`work`, cancelled after so many steps of the loop, and once more after so many further ones."""
    task = asyncio.create_task(work)
    for wait in waits:
        await after(wait)
        task.cancel()
    await asyncio.wait([task])
    return task


class Pausing(Counting):
    """Counts, with a pause before and after each update."""

    async def answer(self, run: Any) -> Any:
        async for update in super().answer(run):
            await after(2)
            yield update
            await after(2)


@STREAMED
@pytest.mark.parametrize("hooked", [False, True], ids=["plain", "held"])
@pytest.mark.parametrize("again", [None, 0, 1, 2, 3, 5])
@pytest.mark.parametrize("store", [memory, threaded, sqlite])
async def test_a_cancelled_turn_is_done_or_not_done(
    say_channel: Any,
    store: Callable[[Path], Any],
    again: int | None,
    hooked: bool,
    stream: bool,
    tmp_path: Path,
) -> None:
    channel = say_channel(response_hook=(lambda result: result) if hooked else None)
    ends: set[str] = set()
    async with InMemoryHost(Pausing(), [channel], state=store(tmp_path), limits=ONE_OF_EACH) as host:
        before = asyncio.all_tasks()

        async def turn(key: str, **fields: Any) -> str:
            return (await run(host, "x", key, stream=stream, **fields)).text

        for number in range(POINTS):
            key = f"session {number}"
            waits = (number,) if again is None else (number, again)
            await cancelled(turn(key, delivery_id=key), *waits)
            while asyncio.all_tasks() != before:  # an abandoned stream's owner may still clean up
                await asyncio.sleep(0)
            try:
                assert await turn(key, delivery_id=key) == "turn 1"
                ends.add("done")
                assert await turn(key) == "turn 2"
            except RunFailed as exc:
                ends.add(exc.code)
                assert await turn(key) == "turn 1"
    assert "done" in ends
    assert store is sqlite or "cancelled" in ends  # a thread has its own pace


@STREAMED
@pytest.mark.parametrize("again", [None, 0, 1, 2])
async def test_a_turn_cancelled_where_it_waits_for_its_session_leaves_the_queue(
    say_channel: Any, again: int | None, stream: bool
) -> None:
    gate = Gate()
    limits = HostLimits(session_queue=1)
    async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
        first = group.create_task(run(host, "one", "s"))
        await gate.reached("one")
        for number in range(20):
            waits = (number,) if again is None else (number, again)
            await cancelled(run(host, "lost", "s", stream=stream), *waits)
        waiting = group.create_task(run(host, "two", "s", stream=stream))
        await after(10)
        with pytest.raises(RateLimited):
            await run(host, "three", "s")
        gate.release("one")
        gate.release("two")
        assert ((await first).text, (await waiting).text) == ("one", "two")
        assert gate.waiting("lost") == 0


@STREAMED
@pytest.mark.parametrize("again", [None, 0, 1, 2])
async def test_a_turn_cancelled_where_it_waits_for_a_slot_leaves_the_queue(
    say_channel: Any, again: int | None, stream: bool
) -> None:
    gate = Gate()
    limits = HostLimits(max_concurrent_runs=1, run_queue=1)
    async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
        first = group.create_task(run(host, "one", "a"))
        await gate.reached("one")
        for number in range(20):
            waits = (number,) if again is None else (number, again)
            await cancelled(run(host, "lost", "b", stream=stream), *waits)
        waiting = group.create_task(run(host, "two", "b", stream=stream))
        await after(10)
        with pytest.raises(RateLimited):
            await run(host, "three", "c")
        gate.release("one")
        gate.release("two")
        assert ((await first).text, (await waiting).text) == ("one", "two")


@pytest.mark.parametrize("waits", ["session", "slot"])
async def test_what_is_granted_and_cancelled_at_once_goes_to_the_next(say_channel: Any, waits: str) -> None:
    gate = Gate()
    limits = HostLimits(max_concurrent_runs=1 if waits == "slot" else 9)
    keys = ["a", "b", "c"] if waits == "slot" else ["s"] * 3
    for number in range(30):
        async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
            name = f"{waits} {number}"
            first = group.create_task(run(host, name, keys[0]))
            await gate.reached(name)
            second = asyncio.create_task(run(host, "second", keys[1]))
            third = group.create_task(run(host, "third", keys[2]))
            await after(10)
            gate.release(name)
            gate.release("third")
            await after(number)
            second.cancel()
            gate.release("second")
            async with asyncio.timeout(5):
                assert ((await first).text, (await third).text) == (name, "third")
            await asyncio.wait([second])


@pytest.mark.parametrize("again", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("store", [memory, threaded, sqlite])
async def test_a_stream_left_at_any_point_frees_everything(
    say_channel: Any, store: Callable[[Path], Any], again: int | None, tmp_path: Path
) -> None:
    target = Scripted("a", "b", "c", "d")
    async with InMemoryHost(target, [say_channel()], state=store(tmp_path), limits=ONE_OF_EACH) as host:
        before = asyncio.all_tasks()

        async def read(count: int) -> None:
            stream = await host.host.run_stream(request("x", "s"))
            try:
                async for _ in stream:
                    count -= 1
                    if count == 0:
                        break
                else:
                    await stream.result()
            finally:
                await stream.aclose()

        for number in range(40):
            for count in (1, 3, 9):
                await cancelled(read(count), *((number,) if again is None else (number, again)))
                while asyncio.all_tasks() != before:
                    await asyncio.sleep(0)
                assert (await run(host, "x", f"probe {number} {count}")).text == "abcd"


async def test_a_stream_does_not_wait_for_an_owner_that_never_began(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()], limits=ONE_OF_EACH) as host:
        with SteppedTasks(cancel=SuspensionPoint(task=1, step=0)) as tasks:
            asking = asyncio.create_task(host.host.run_stream(request("x", "s")))
            _, waiting = await asyncio.wait([asking], timeout=2)
        assert tasks.made[1].name.startswith("hosting.turn")
        assert not waiting
        assert asking.cancelled()
        assert (await run(host, "x", "s")).text == "turn 1"


async def test_a_slot_that_is_given_back_just_as_its_waiter_is_cancelled_is_free() -> None:
    slots = RunSlots(slots=1, queue=1)
    held = await slots.acquire()
    assert held
    waiting = asyncio.create_task(slots.acquire(), context=Context())  # not inside the run that holds it
    await after(1)
    waiting.cancel()
    slots.release(held)
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert await slots.acquire()


async def test_a_cancel_from_the_host_gives_a_cancelled_result_and_leaves_the_callers_task_alone(
    say_channel: Any,
) -> None:
    hang, channel = Hang(), say_channel()
    async with InMemoryHost(hang, [channel]) as host:

        async def worker() -> Any:
            result = await run(host, "x", "s", response_id="resp_1")
            await asyncio.sleep(0)
            return result

        task = asyncio.create_task(worker())
        while not hang.hanging:
            await asyncio.sleep(0)
        assert await channel._context.cancel("resp_1")
        assert (await task).status == "cancelled"
        assert task.cancelling() == 0
        assert not await channel._context.cancel("resp_1")


async def test_a_cancel_returns_when_the_turn_has_ended_not_when_its_task_has(say_channel: Any) -> None:
    hang, channel, over = Hang(), say_channel(), asyncio.Event()
    async with InMemoryHost(hang, [channel]) as host, asyncio.TaskGroup() as group:

        async def connection() -> None:
            """As a WebSocket's task, which runs turn after turn and waits in between."""
            await run(host, "x", "s", response_id="resp_1")
            await over.wait()

        group.create_task(connection())
        while not hang.hanging:
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert await channel._context.cancel("resp_1")
        over.set()


async def test_a_shutdown_waits_for_turns_not_for_the_tasks_that_ran_them(say_channel: Any) -> None:
    hang, channel = Hang(), say_channel()
    ended: list[str] = []
    async with asyncio.timeout(5):
        async with InMemoryHost(hang, [channel], limits=HostLimits(drain_timeout=0)) as host:

            async def poller() -> None:
                try:
                    await run(host, "x", "s")
                except RunFailed as exc:
                    ended.append(exc.code)
                await asyncio.Event().wait()

            channel._context.spawn(poller(), name="poller")
            while not hang.hanging:
                await asyncio.sleep(0)
    assert ended == ["shutting_down"]


async def test_a_turn_cancelled_by_the_host_and_by_its_caller_at_once_is_cancelled_for_the_caller(
    say_channel: Any,
) -> None:
    hang, channel = Hang(), say_channel()
    async with InMemoryHost(hang, [channel]) as host:
        task = asyncio.create_task(run(host, "x", "s", response_id="resp_1"))
        while not hang.hanging:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(channel._context.cancel("resp_1"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task, stopping])
        assert task.cancelled()


@STREAMED
async def test_a_target_that_cancels_itself_has_failed(say_channel: Any, stream: bool) -> None:
    target = Failing(asyncio.CancelledError())
    async with InMemoryHost(target, [say_channel()], limits=ONE_OF_EACH) as host:
        answer = await host.post("/say", json={"say": "x", "session": "s", "stream": stream})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")


async def test_a_target_that_cannot_be_closed_does_not_hide_the_cancellation(say_channel: Any) -> None:
    class Stubborn(Hang):
        async def answer(self, run: Any) -> Any:
            try:
                async for update in super().answer(run):
                    yield update
            finally:
                raise RuntimeError("the connection was lost")

    hang = Stubborn("a")
    async with InMemoryHost(hang, [say_channel()], limits=ONE_OF_EACH) as host:
        for stream in (True, False):
            task = asyncio.create_task(run(host, "x", "s", stream=stream))
            while not hang.hanging:
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()


async def test_the_newest_of_several_interrupting_turns_is_the_one_that_runs(say_channel: Any) -> None:
    gate = Gate()
    async with (
        InMemoryHost(gate, [say_channel()], limits=HostLimits(turn_policy="interrupt")) as host,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(run(host, "one", "s"))
        await gate.reached("one")
        second = group.create_task(run(host, "two", "s"))
        third = group.create_task(run(host, "three", "s"))
        await gate.reached("three")
        gate.release("three")
        assert (await third).text == "three"
        assert [(await task).status for task in (first, second)] == ["cancelled", "cancelled"]


async def test_a_task_that_outlives_the_turn_that_began_it_waits_its_turn(say_channel: Any) -> None:
    hosts: list[InMemoryHost] = []
    later: list[asyncio.Task[Any]] = []
    go = asyncio.Event()

    class Reminding(Gate):
        async def answer(self, run_: Any) -> Any:
            async def remind() -> Any:
                await go.wait()
                return await run(hosts[0], "reminder", "s")

            if run_.text == "remind me":
                later.append(asyncio.create_task(remind()))
                yield run_.update("I shall")
            else:
                async for update in super().answer(run_):
                    yield update

    gate = Reminding()
    limits = HostLimits(max_concurrent_runs=1)
    async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
        hosts.append(host)
        await run(host, "remind me", "s")
        group.create_task(run(host, "one", "s"))
        await gate.reached("one")
        other = group.create_task(run(host, "two", "other"))
        go.set()
        await after(10)
        assert gate.waiting("reminder") == 0
        gate.release("one")
        gate.release("two")
        gate.release("reminder")
        assert (await other).text == "two"
        assert (await later[0]).text == "reminder"


@STREAMED
async def test_a_parent_that_was_cancelled_is_not_running_any_more(say_channel: Any, stream: bool) -> None:
    hang = Hang()
    async with InMemoryHost(hang, [say_channel()]) as host:
        task = asyncio.create_task(run(host, "x", "resp_1", response_id="resp_1", stream=stream))
        while not hang.hanging:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        hang.said = ("never",)
        child = asyncio.create_task(run(host, "y", "resp_2", parent="resp_1"))
        while not hang.hanging:
            await asyncio.sleep(0)
        child.cancel()
        await asyncio.wait([child])
        assert child.cancelled()
