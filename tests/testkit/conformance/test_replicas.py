"""Processes of one channel that share rows and platform, and die: what rules about crashes stand on."""

from __future__ import annotations

import pytest

from hosting import Channel
from hosting_testkit import virtual_time
from hosting_testkit.conformance.kit import Kit
from hosting_testkit.conformance.model import Failed, Unproven
from hosting_testkit.conformance.reference import (
    BotChannel,
    BotDriver,
    PollingBotDriver,
    RpcDriver,
    SocketRpcDriver,
)
from hosting_testkit.conformance.replicas import replicas
from hosting_testkit.conformance.sends import sending
from hosting_testkit.drivers import Env, PlatformAnswer, Turn
from hosting_testkit.drivers.trouble import Struck
from hosting_testkit.targets import Counting, Echo, Gate


@virtual_time
async def test_replicas_share_their_rows_and_their_platform() -> None:
    async with replicas(Kit(BotDriver, "webhook"), Counting(), 2) as (first, second):
        assert (await first.turn("one")).text == "turn 1"
        assert (await second.turn("two")).text == "turn 2"
        assert [run.text for run in first.runs] == [run.text for run in second.runs] == ["one", "two"]
        assert first.env.calls is second.env.calls


@virtual_time
async def test_a_killed_process_answers_502_until_another_one_is_started() -> None:
    async with replicas(Kit(RpcDriver, "http"), Counting()) as (h,):
        await h.turn("one")
        await h.host.kill()
        assert (await h.turn("lost")).status == 502
        await h.host.start()
        assert (await h.turn("two")).text == "turn 2"
        assert [run.text for run in h.runs] == ["one", "two"]


@virtual_time
async def test_a_process_that_dies_in_a_turn_breaks_its_connection() -> None:
    target = Gate()
    for driver, variant in ((RpcDriver, "http"), (SocketRpcDriver, "websocket")):
        async with replicas(Kit(driver, variant), target) as (h,):
            async with h.open(h.inbound(Turn(text=variant))) as opened:
                await target.reached(variant)
                await h.host.kill()
                await opened.finished()
                reply = await opened.reply()
            assert not reply.texts
            assert reply.status == 502 or not reply.wire.complete
        assert target.waiting(variant) == 0


@virtual_time
async def test_a_step_can_be_the_last_one_of_a_process() -> None:
    async with replicas(Kit(BotDriver, "webhook"), Echo()) as (h,):
        h.plan.strikes = "events.claim"
        assert (await h.turn("hello")).status == 502
        assert await h.host.revived()
        assert h.kept.events == {}
        assert not await h.host.revived(), "this one lives"
        assert (await h.turn("again")).text == "again"


@virtual_time
async def test_a_call_can_be_the_last_one_of_a_process() -> None:
    async with replicas(Kit(BotDriver, "webhook"), Echo()) as (h,):
        for arrives in (True, False):
            trouble = Struck(h.host.strike, arrives=arrives)
            sent = await sending(h, Turn(text=str(arrives)), [trouble], seconds=60.0, dies=True)
            assert sent.times(str(arrives)) == arrives
            assert list(sent.recorded) == ["unknown"]
            assert h.plan.told.of(str(arrives)) == ["unknown"]


@virtual_time
async def test_the_tries_of_a_reply_are_counted_with_the_time_between_them() -> None:
    async with replicas(Kit(BotDriver, "webhook"), Echo()) as (h,):
        busy = PlatformAnswer(status=429, headers={"retry-after": "7"}, body=b"{}")
        sent = await sending(h, Turn(text="hello"), [busy] * 2, seconds=60.0)
        assert len(sent.tries) == 2
        assert sent.waits == [7.0]
        assert (sent.times("hello"), list(sent.recorded)) == (1, ["sent"])


@virtual_time
async def test_it_is_told_which_process_fetches() -> None:
    async with replicas(Kit(PollingBotDriver, "polling"), Echo(), 2) as hosts:
        await hosts[0].rest(60.0)
        before = [await h.fetches(100.0) for h in hosts]
        assert sorted(before) == [False, True]
        await hosts[before.index(True)].host.shutdown()
        assert await hosts[before.index(False)].fetches(100.0)


@virtual_time
async def test_a_driver_that_cannot_make_its_channel_proves_nothing() -> None:
    class Broken(BotDriver):
        def make(self, env: Env) -> Channel:
            raise RuntimeError("the author's own mistake")

    with pytest.raises(Unproven, match="the author's own mistake"):
        async with replicas(Kit(Broken, "webhook"), Echo()):
            pass


class _StartsOnce(BotChannel):
    async def start(self) -> None:
        if await self.context.state("starts").get("first"):
            raise RuntimeError("once is enough")
        await self.context.state("starts").put("first", True)
        await super().start()


@virtual_time
async def test_a_process_that_cannot_start_again_is_a_failure_of_the_channel() -> None:
    class Driver(BotDriver):
        channel_class = _StartsOnce

    with pytest.raises(Failed, match="does not start: RuntimeError: once is enough"):
        async with replicas(Kit(Driver, "webhook"), Echo()) as (h,):
            await h.host.restart()
