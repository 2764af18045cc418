"""The cancellation sweep finds every place of a turn, and says where it was when something stayed behind."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hosting import ChannelRequest, HostedRunResult, HostingError
from hosting_testkit import virtual_time
from hosting_testkit.conformance import Kit
from hosting_testkit.conformance.abandoned import no_garbage_collection
from hosting_testkit.conformance.hand_reader import loop_turns_until, read_by_hand, read_every
from hosting_testkit.conformance.reference import RpcChannel, RpcDriver
from hosting_testkit.conformance.suspending_store import SuspendingStore
from hosting_testkit.conformance.sweep import (
    AS_CANCELLED,
    NEXT_TURN,
    NO_HANG,
    NO_TASK,
    TARGET_CLOSED,
    WHOLE_SESSION,
    Cancelled,
    Sweep,
    sampled,
)
from hosting_testkit.drivers import Turn
from hosting_testkit.stepped_tasks import SuspensionPoint
from hosting_testkit.targets import Balance, Balanced, Leak, Scripted, steps
from hosting_testkit.transports import BridgeOptions


@asynccontextmanager
async def swept(channel: type[RpcChannel] = RpcChannel, *, stream: bool = False) -> AsyncGenerator[Sweep]:
    kit = Kit(type("Driver", (RpcDriver,), {"channel_class": channel}), "http")
    balanced = Balanced()
    leak = Leak(balanced)
    async with kit.host(leak, state=SuspendingStore()) as hosted:
        with no_garbage_collection():
            yield Sweep(hosted, balanced, leak, Turn(conversation="c", stream=stream))
    await kit.aclose()


async def all_of(sweep: Sweep) -> list[Cancelled]:
    found: list[Cancelled] = []
    for point in await sweep.points():
        found.append(await sweep.cancel_at(point))
        if not found[-1].usable:
            break
    return found


def faults(seen: Sequence[Cancelled]) -> set[str]:
    return {fault.kind for one in seen for fault in one.faults}


@virtual_time
async def test_a_streamed_turn_has_points_in_its_request_and_in_its_owner() -> None:
    async with swept(stream=True) as sweep:
        points = await sweep.points()
        assert len({point.task for point in points}) == 2
        assert {point.step for point in points} >= {0, 1, 2}
        functions = {position.rpartition(" ")[2] for point in points for position in point.where}
        assert {"read_body", "Balanced.answer", "settled", "UpdateBuffer.take"} <= functions
        assert [one.reached for one in await all_of(sweep)] == [True] * len(points)


@virtual_time
async def test_a_point_that_the_turn_does_not_come_to_shows_nothing() -> None:
    async with swept() as sweep:
        await sweep.points()
        assert await sweep.cancel_at(SuspensionPoint(99, 1)) == Cancelled(reached=False)


class KeepsTheTaskOnItsWay(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        left = asyncio.create_task(asyncio.Event().wait(), name="left behind")
        await asyncio.sleep(0)
        try:
            return await super().run(turn, body)
        finally:
            left.cancel()


@virtual_time
async def test_a_fault_names_the_place_and_what_was_found() -> None:
    async with swept(KeepsTheTaskOnItsWay) as sweep:
        (fault,) = [fault for one in await all_of(sweep) for fault in one.faults]
    assert fault.kind == NO_TASK
    place, _, found = fault.text.partition(": task")
    assert place.endswith("in KeepsTheTaskOnItsWay.run")
    assert "conformance/test_sweep.py:" in place
    assert found == " 'left behind'"


class GoesOn(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except asyncio.CancelledError:
            return await super().run(turn, body)


class Hangs(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except asyncio.CancelledError:
            await asyncio.Event().wait()
            raise


class Shields(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        return await asyncio.shield(asyncio.ensure_future(self._slowly(turn, body)))

    async def _slowly(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        await asyncio.sleep(30)
        return result


class Locks(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lock = asyncio.Lock()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        await self.lock.acquire()
        try:
            result = await super().run(turn, body)
        except HostingError:
            self.lock.release()
            raise
        self.lock.release()
        return result


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (GoesOn, {AS_CANCELLED}),
        (Hangs, {NO_HANG}),
        (Shields, {NO_TASK}),
        (Locks, {NEXT_TURN}),
    ],
)
@virtual_time
async def test_each_kind_of_fault_is_found(channel: type[RpcChannel], expected: set[str]) -> None:
    async with swept(channel) as sweep:
        assert faults(await all_of(sweep)) == expected


class HalfSaved(Balanced):
    """Keeps what it began outside its session, as one does that saves a live session after a failure."""

    begun = 0

    async def answer(self, run: Any) -> Any:
        self.begun += 1
        run.session.state[self.STATE] = {
            **run.session.state.get(self.STATE, {"ended": 0}),
            "begun": self.begun - 1,
        }
        async for update in super().answer(run):
            yield update


@virtual_time
async def test_half_a_turn_in_the_session_and_an_open_target_are_found() -> None:
    kit = Kit(RpcDriver, "http")
    target = HalfSaved()
    leak = Leak(target)
    async with kit.host(leak, state=SuspendingStore()) as hosted:
        sweep = Sweep(hosted, target, leak, Turn(conversation="c", stream=True))
        found = await all_of(sweep)
        assert WHOLE_SESSION in faults(found)
        target.inside += 1
        assert TARGET_CLOSED in faults([await sweep.cancel_at((await sweep.points())[0])])
    await kit.aclose()


class LosesItInCleanup(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        left = asyncio.create_task(asyncio.Event().wait(), name="left behind")
        try:
            return await super().run(turn, body)
        finally:
            await asyncio.sleep(0)
            left.cancel()


@virtual_time
async def test_a_second_cancellation_is_named_with_both_places() -> None:
    async with swept(LosesItInCleanup) as sweep:
        point = next(p for p in await sweep.points() if any("Balanced.answer" in where for where in p.where))
        once = await sweep.cancel_at(point)
        assert (once.faults, len(once.cleanup) > 0) == ([], True)
        twice = [await sweep.cancel_at(point, again) for again in range(1, len(once.cleanup) + 1)]
    (fault,) = [fault for one in twice for fault in one.faults]
    assert fault.kind == NO_TASK
    assert ", and again at" in fault.text
    assert "LosesItInCleanup.run" in fault.text


class TidiesUpOnce(RpcChannel):
    """Has more to clean up after its first cancelled turn than after later ones."""

    tidied = False

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except asyncio.CancelledError:
            for _ in range(0 if self.tidied else 3):
                await asyncio.sleep(0)
            self.tidied = True
            raise


@virtual_time
async def test_a_clean_up_that_is_shorter_the_second_time_is_no_failure_of_the_kit() -> None:
    async with swept(TidiesUpOnce) as sweep:
        point = next(p for p in await sweep.points() if any("Balanced.answer" in where for where in p.where))
        once = await sweep.cancel_at(point)
        twice = await sweep.cancel_at(point, len(once.cleanup))
    assert len(once.cleanup) >= 3 > len(twice.cleanup)
    assert (twice.reached, twice.faults) == (True, [])


def test_many_points_are_thinned_out_in_the_middle_alone_and_always_alike() -> None:
    points = [SuspensionPoint(0, step) for step in range(1000)]
    chosen = list(sampled(points))
    assert len(chosen) == len(set(chosen)) == 150
    assert chosen[:20] == points[:20]
    assert chosen[-20:] == points[-20:]
    assert chosen == sorted(chosen, key=lambda point: point.step) == list(sampled(points))
    assert list(sampled(points[:150])) == points[:150]


def test_a_balance_is_the_last_answer() -> None:
    assert Balance.read("turn 1 after 0. turn 12 after 11.") == Balance(begun=12, ended=11)
    assert Balance.read("turn 1 after") is None


@virtual_time
async def test_without_collection_an_abandoned_generator_is_kept_and_not_closed() -> None:
    closed: list[str] = []

    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            closed.append("closed")

    hooks = sys.get_asyncgen_hooks()
    with no_garbage_collection() as abandoned:
        left = numbers()
        await anext(left)
        del left
        await asyncio.sleep(1)
        assert not gc.isenabled()
        assert (len(abandoned), closed) == (1, [])
        await abandoned[0].aclose()
    assert gc.isenabled()
    assert sys.get_asyncgen_hooks() == hooks


@virtual_time
async def test_an_answer_is_read_by_hand_and_left_by_hand() -> None:
    kit = Kit(RpcDriver, "http")
    leak = Leak(Scripted("a", steps.Sleep(1), "b", steps.Sleep(1), "c"))
    async with kit.host(leak) as hosted:
        inbound = hosted.inbound(Turn(stream=True))
        async with read_by_hand(hosted, inbound, BridgeOptions(window=0)) as reader:
            assert b'"a"' in (await reader.read() or b"")
            await read_every(reader, 10.0, most=2)
            assert not reader.wire.complete
            await read_every(reader, 0.0)
            assert (reader.wire.complete, reader.app_error) == (True, None)
            outs = await hosted.decode(reader.wire)
            assert [type(out).__name__ for out in outs] == ["Delta", "Delta", "Delta", "Terminal"]
        async with read_by_hand(hosted, inbound, BridgeOptions(window=0)) as reader:
            await reader.read()
            reader.leave()
            assert await loop_turns_until(lambda: leak.streams[-1].end == "closed")
            assert await reader.read() is None
            assert not reader.wire.complete
        assert await loop_turns_until(lambda: False, most=3) is None
    await kit.aclose()
