"""What never ends is ended, and the text names the author's line: by what it does, never by how long the machine takes."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from types import FrameType

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from hosting import Caller, ChannelContext, ChannelContribution
from hosting_testkit import VirtualLoop, run_virtual
from hosting_testkit.conformance import ItemResult, Selection, Verdict, items_of, run_item
from hosting_testkit.conformance.endless import LONGEST_WAIT, Endless, TurnCap
from hosting_testkit.conformance.own_lines import OwnLines
from hosting_testkit.conformance.reference import RpcChannel, RpcDriver
from hosting_testkit.conformance.timecap import TICKS, CallbackCap, ItemTimeout, kit_waits

CAP = 1.0
"""Of processor time, or asleep; what these channels do has no end, so that every machine gets there."""

NEVER = threading.Event()


class Computes(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        while True:
            request.headers.get("authorization")


class Sleeps(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        NEVER.wait()
        return await super().authenticate(request)


class Spins(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        while True:
            await asyncio.sleep(0)


class SpinsBehindTheTurn(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        self.busy = asyncio.create_task(self.work())
        return await super().authenticate(request)

    async def work(self) -> None:
        while True:
            await asyncio.sleep(0)


class RepeatsItsFrame(RpcChannel):
    async def handle(self, request: Request) -> StreamingResponse:
        return StreamingResponse(self.forever(), media_type="text/event-stream")

    async def forever(self) -> AsyncGenerator[bytes]:
        while True:
            yield b"event: delta\ndata: {}\n\n"


class RepeatsItsItem(RpcChannel):
    """The generator gives the same item without end, and its reader waits for another one: nothing is awaited."""

    async def handle(self, request: Request) -> StreamingResponse:
        return StreamingResponse(self.answer(), media_type="text/event-stream")

    async def items(self) -> AsyncGenerator[str]:
        while True:
            yield "same"

    async def answer(self) -> AsyncGenerator[bytes]:
        async for item in self.items():
            if item != "same":
                yield item.encode()


class Waits(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        await asyncio.get_running_loop().create_future()
        raise AssertionError


class WaitsAtItsStart(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return ChannelContribution(routes=super().contribute(context).routes, on_startup=[self.start])

    async def start(self) -> None:
        await asyncio.get_running_loop().create_future()


class StopsForEver(RpcChannel):
    """Its worker takes its own cancellation for one more failure, and the shutdown waits for it."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return ChannelContribution(
            routes=super().contribute(context).routes, on_startup=[self.start], on_shutdown=[self.stop]
        )

    async def start(self) -> None:
        self.worker = asyncio.create_task(self.work())

    async def work(self) -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(30)

    async def stop(self) -> None:
        self.worker.cancel()
        await asyncio.wait([self.worker])


def judged(channel: type[RpcChannel]) -> ItemResult:
    """How the plainest rule ends."""

    class Driver(RpcDriver):
        channel_class = channel

    (item,) = items_of(Driver(), Selection(patterns=["HC-CAP-001"]))
    return run_item(Driver, item, cap=CAP)


@pytest.mark.parametrize(
    ("channel", "words", "line"),
    [
        (Computes, "one step of the loop computed for 1 s", "in Computes.authenticate"),
        (Sleeps, "one step of the loop slept for 1 s", "in Sleeps.authenticate: NEVER.wait()"),
        (RepeatsItsItem, "one step of the loop computed for 1 s", "in RepeatsItsItem."),
        (Spins, "and no time passes", "in Spins.authenticate: await asyncio.sleep(0) (200 times)"),
        (SpinsBehindTheTurn, "and no time passes", "in SpinsBehindTheTurn.work: await asyncio.sleep(0)"),
        (RepeatsItsFrame, "and no time passes", 'in RepeatsItsFrame.forever: yield b"event: delta'),
        (Waits, "did not end in 900 virtual seconds", "in Waits.authenticate: await asyncio."),
        (StopsForEver, "has come in 3600 virtual seconds", "in StopsForEver.work: await asyncio.sleep(30)"),
        (WaitsAtItsStart, "every task is blocked", "in WaitsAtItsStart.start: await asyncio."),
    ],
)
def test_the_item_fails_and_the_line_is_named(channel: type[RpcChannel], words: str, line: str) -> None:
    result = judged(channel)
    assert result.verdict is Verdict.FAIL
    assert words in result.reason
    assert line in result.reason
    assert "test_endless.py:" in result.reason
    assert sys.getprofile() is None


def test_nothing_is_said_while_such_an_item_is_torn_down(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    judged(Spins)
    judged(Sleeps)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def here() -> FrameType:
    """Some frame."""
    return sys._getframe()


def idle() -> float:
    """The processor time of a thread that gets none."""
    return 0.0


def capped(processor: Callable[[], float], seconds: float = 10.0) -> CallbackCap:
    return CallbackCap(seconds, OwnLines(RpcDriver), processor)


def test_a_slow_machine_ends_nothing_as_long_as_steps_end() -> None:
    cap = capped(idle)
    for _ in range(1000):  # each look finds the thread idle, and in another step
        cap.look(here())
        cap.turn()


def test_a_step_that_gets_little_of_a_busy_machine_has_all_its_processor_time() -> None:
    spent = iter(range(10_000))
    cap = capped(lambda: next(spent) / 100)  # a hundredth of a second between two looks
    for _ in range(1000):
        cap.look(here())
    with pytest.raises(ItemTimeout, match="computed for 10 s"):
        cap.look(here())


def test_a_step_that_does_nothing_is_asleep() -> None:
    cap = capped(idle)
    for _ in range(TICKS):
        cap.look(here())
    with pytest.raises(ItemTimeout, match="slept for 10 s"):
        cap.look(here())


def test_what_the_kit_itself_waits_for_does_not_count() -> None:
    cap = capped(idle)
    with kit_waits():
        for _ in range(10 * TICKS):
            cap.look(here())
    for _ in range(TICKS - 1):
        cap.look(here())


def test_a_timeout_that_somebody_swallowed_comes_again_with_the_next_step() -> None:
    cap = capped(idle)
    for _ in range(TICKS):
        cap.look(here())
    with pytest.raises(ItemTimeout) as first:
        cap.look(here())
    with pytest.raises(ItemTimeout) as again:
        cap.turn()
    assert again.value is first.value
    cap.turn()


def test_a_thread_that_the_loop_waits_for_has_its_own_bound() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        cap, looked = capped(idle), threading.Event()
        cap.watch(loop)

        def look_while_the_loop_rests() -> None:
            while not loop.waits_outside:
                pass
            for _ in range(10 * TICKS):
                cap.look(here())
            looked.set()

        await asyncio.to_thread(look_while_the_loop_rests)
        assert looked.is_set()

    run_virtual(main)


def endless(pause: float) -> str:
    """What is said of a task that pauses again and again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        TurnCap(OwnLines(RpcDriver), at_once=1000, in_all=3000).watch(loop)
        while True:
            await asyncio.sleep(pause)

    with pytest.raises(Endless) as told:
        run_virtual(main)
    assert sys.getprofile() is None
    return str(told.value)


def test_turns_are_counted_whether_time_passes_or_not() -> None:
    assert "\n1000 turns of the loop at 0 virtual seconds, and no time passes" in endless(0)
    assert "\n3000 turns of the loop by 1" in endless(1.0)
    assert "in endless.<locals>.main: await asyncio.sleep(pause)" in endless(1.0)


def test_a_pause_begins_the_count_at_once_anew() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        TurnCap(OwnLines(RpcDriver), at_once=1000, in_all=100_000).watch(loop)
        for _ in range(20):
            for _ in range(900):
                await asyncio.sleep(0)
            await asyncio.sleep(1)

    run_virtual(main)
    assert sys.getprofile() is None


def test_a_leap_of_the_clock_is_no_wait() -> None:
    async def main() -> None:
        loop, come = asyncio.get_running_loop(), asyncio.Event()
        assert isinstance(loop, VirtualLoop)
        rule = asyncio.create_task(come.wait())
        TurnCap(OwnLines(RpcDriver)).watch(loop, rule)
        for _ in range(3):
            for _ in range(1000):
                await asyncio.sleep(0)
            loop.advance(LONGEST_WAIT + 1)
        come.set()
        await rule

    run_virtual(main)
