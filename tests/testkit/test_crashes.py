"""Crashes in memory: the reference bot keeps its promise at every step, and what breaks it is found (contract 4.3-4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx
import pytest

from benchmarks.crashes.seen_bot import SeenEditBot
from hosting import HostedRunResult, HostingError, InboundEvent, PushReceipt
from hosting_testkit import virtual_time
from hosting_testkit.conformance.reference import BotChannel
from hosting_testkit.crashes import (
    CrashingHost,
    CrashPlan,
    CrashPoint,
    KeptOutcomes,
    check_answered_once,
    check_every_crash,
    crash_everywhere,
)
from hosting_testkit.simulators import ONCE, UNPACED, URL, BotLimits, BotPlatform, RedeliveryPolicy
from hosting_testkit.targets import Echo, Gate, Recorder, Scripted, steps

SECRET = "0123456789abcdef"


class Scene:
    """A platform, one person, and a host that dies as planned."""

    def __init__(
        self,
        bot: type[BotChannel] = BotChannel,
        target: Any = None,
        *,
        policy: RedeliveryPolicy | None = None,
        say: str = "hi",
    ) -> None:
        self.bot = bot
        self.target = target or Echo()
        self.policy = policy
        self.say = say

    async def __call__(self, plan: CrashPlan) -> Sequence[str]:
        async with BotPlatform(limits=BotLimits(**UNPACED), policy=self.policy) as sim:

            def channels(life: Any) -> list[BotChannel]:
                http = life.client(sim.transport(), base_url=URL)
                return [self.bot(secret=SECRET, token=sim.token, http=http, name="bot", path="/bot")]

            async with CrashingHost(self.target, channels, plan) as host, sim.client() as admin:
                sim.reach(host.transport())
                url = "https://bot.example/bot/events"
                await admin.post("/bot/setWebhook", json={"url": url, "secret": SECRET})
                sim.person("ann").says(self.say)
                await sim.idle()
                await host.settled()
            return sim.chat("ann").bot_texts


def test_the_reference_bot_answers_once_wherever_it_is_killed_and_restarted() -> None:
    runs = check_every_crash(Scene(), takes_over=["at once"])
    whens = {(str(run.step), run.point.when) for run in runs if run.point}
    assert {("call POST /bot/sendMessage", "before"), ("unit outbox.end", "after")} <= whens
    found = {frozenset(run.kept.recorded) for run in runs}
    assert found == {frozenset[str](), frozenset({"unknown"})}


def test_a_host_among_others_answers_once_wherever_it_is_killed() -> None:
    runs = check_every_crash(Scene(), takes_over=["after the lease"])
    assert len(runs) > 60 and all(run.replies or "unknown" in run.kept.recorded for run in runs)


def test_a_reply_shown_as_it_comes_ends_in_the_message_that_it_began() -> None:
    target = Scripted("one ", steps.Sleep(2), "two")
    runs = check_every_crash(Scene(SeenEditBot, target), takes_over=["at once"])
    texts = {text for run in runs for text in run.replies}
    assert any("something went wrong" in text for text in texts) and "one two" in texts
    assert {reason for run in runs for reason in run.kept.recorded} == {"interrupted", "unknown"}


def test_a_command_is_answered_once_wherever_the_host_is_killed() -> None:
    check_every_crash(Scene(say="/new"), takes_over=["at once"])


class SendsByItself(BotChannel):
    """Broken: shows the reply before it is committed."""

    async def run(self, request: Any, event: InboundEvent) -> HostedRunResult[Any]:
        await self.api.send_text({"chat": event.conversation_id}, f"early: {request.input}")
        return await super().run(request, event)

    async def push(self, destination: Any, payload: Any, *, context: Any) -> PushReceipt:
        return PushReceipt(status="sent")


def test_a_channel_that_sends_before_the_commit_is_caught() -> None:
    with pytest.raises(AssertionError, match="answered 2 times") as caught:
        check_every_crash(Scene(SendsByItself), takes_over=["at once"])
    assert "killed after step" in str(caught.value) and "POST /bot/sendMessage" in str(caught.value)


class AcknowledgesFirst(BotChannel):
    """Broken: accepts after it has acknowledged."""

    async def take(self, payload: Mapping[str, Any]) -> None:
        self.context.spawn(super().take(payload), name="take")


def test_a_channel_that_acknowledges_before_it_accepts_is_caught() -> None:
    with pytest.raises(AssertionError, match="the message was lost"):
        check_every_crash(Scene(AcknowledgesFirst), takes_over=["at once"])


class SendsAgain(BotChannel):
    """Broken: takes a send whose answer was lost for one that did not arrive."""

    async def start(self) -> None:
        await super().start()
        for chat, text in await self.context.state("due").scan(""):
            await self.api.send_text({"chat": chat}, text)

    async def push(self, destination: Any, payload: Any, *, context: Any) -> PushReceipt:
        due, chat = self.context.state("due"), str(destination.conversation_id)
        await due.put(chat, payload.text)
        receipt = await super().push(destination, payload, context=context)
        await due.delete(chat)
        return receipt


def test_a_channel_that_repeats_what_may_have_arrived_is_caught() -> None:
    with pytest.raises(AssertionError, match="answered 2 times"):
        check_every_crash(Scene(SendsAgain), takes_over=["at once"])


class NeverSends(BotChannel):
    """Broken even without a crash."""

    async def push(self, destination: Any, payload: Any, *, context: Any) -> PushReceipt:
        return PushReceipt(status="sent")


def test_a_channel_that_does_not_answer_at_all_is_caught() -> None:
    with pytest.raises(AssertionError, match="without a crash: "):
        check_every_crash(Scene(NeverSends), takes_over=["at once"])


def test_what_is_accepted_and_never_ends_is_told() -> None:
    kept = KeptOutcomes()
    kept.events[7] = None
    with pytest.raises(AssertionError, match="accepted and never ended: event 7"):
        check_answered_once(["hi"], kept)


def test_a_life_that_differs_from_run_to_run_is_told() -> None:
    said: list[str] = []

    async def differs(plan: CrashPlan) -> Sequence[str]:
        said.append("hi")
        return await Scene(say="hi" if len(said) == 1 else "/new")(plan)

    with pytest.raises(AssertionError, match="expected what the run without a crash did"):
        list(crash_everywhere(differs))


def test_two_crashes_in_one_life() -> None:
    async def answered(*points: CrashPoint) -> tuple[Sequence[str], CrashPlan]:
        plan = CrashPlan(*points)
        return await Scene()(plan), plan

    run = virtual_time(answered)
    _, plan = run()
    claim = 1 + [str(step) for step in plan.steps].index("unit events.claim")
    replies, plan = run(CrashPoint(claim, "after"), CrashPoint(claim + 6, "before"))
    assert plan.deaths == 2 and replies == ["hi"]


class Stubborn(BotChannel):
    """Tries everything when it is cancelled."""

    tried: ClassVar[list[str]] = []

    async def process(self, event: InboundEvent, /) -> None:
        try:
            await super().process(event)
        finally:
            for name in ("send", "put", "accept", "spawn"):
                try:
                    await self.attempt(name, event)
                finally:
                    self.tried.append(name)
                    continue  # noqa: B012 - not even this keeps it alive

    async def attempt(self, name: str, event: InboundEvent) -> None:
        match name:
            case "send":
                await self.api.send_text({"chat": event.conversation_id}, "last words")
            case "put":
                await self.context.state().put("last", "words")
            case "accept":
                await self.context.accept(event)
            case _:
                self.context.spawn(self.api.send_text({"chat": event.conversation_id}, "more"), name="more")


@virtual_time
async def test_nothing_of_a_killed_process_reaches_the_store_or_the_network() -> None:
    Stubborn.tried.clear()
    gate = Gate()
    async with BotPlatform(limits=BotLimits(**UNPACED), policy=ONCE) as sim:

        def channels(life: Any) -> list[BotChannel]:
            bot = Stubborn if life.number == 1 else BotChannel
            http = life.client(sim.transport(), base_url=URL)
            return [bot(secret=SECRET, token=sim.token, http=http)]

        async with CrashingHost(Recorder(gate), channels) as host, sim.client() as admin:
            sim.reach(host.transport())
            await admin.post(
                "/bot/setWebhook", json={"url": "https://b.example/bot/events", "secret": SECRET}
            )
            sim.person("ann").says("hi")
            await gate.reached("hi")
            done = len(host.plan.steps)
            crashing = asyncio.create_task(host.crash())
            await asyncio.sleep(0.5)
            assert Stubborn.tried == ["send", "put", "accept", "spawn"]
            assert len(host.plan.steps) == done and sim.chat("ann").bot_texts == []
            with pytest.raises(httpx.ConnectError):
                await host.client.get("/liveness")
            await crashing
            assert host.lives == 2 and (await host.client.get("/liveness")).status_code == 200
            await gate.reached("hi")
            gate.release("hi")
            await host.settled()
            assert sim.chat("ann").bot_texts == ["hi"]
            value = await host.host._context("bot").state().get("last")
            assert value is None


@virtual_time
async def test_a_request_to_a_process_that_dies_is_broken_off_and_not_answered() -> None:
    gate = Gate()

    def channels(life: Any) -> list[BotChannel]:
        return [
            Waiting(secret=SECRET, token=SECRET, http=life.client(httpx.MockTransport(_fine), base_url=URL))
        ]

    class Waiting(BotChannel):
        async def take(self, payload: Mapping[str, Any]) -> None:
            await asyncio.Event().wait()

        def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
            return

    async with CrashingHost(gate, channels) as host:
        update = {"id": 1, "kind": "message"}
        asking = asyncio.create_task(host.client.post("/bot/events", json=update))
        await asyncio.sleep(0.1)
        await host.crash()
        with pytest.raises(httpx.ReadError):
            await asking


def _fine(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"ok": True, "result": []})


@virtual_time
async def test_a_host_that_cannot_start_says_so() -> None:
    class Unable(BotChannel):
        async def start(self) -> None:
            raise HostingError("no start today")

    with pytest.raises(HostingError, match="no start today"):
        async with CrashingHost(
            Echo(), lambda life: [Unable(secret=SECRET, token=SECRET, http=httpx.AsyncClient())]
        ):
            pass
