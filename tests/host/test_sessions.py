"""Sessions as callers see them (contract 6)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hosting import ChannelRequest, ChannelSession, HostLimits, InMemoryHostStateStore, SqliteHostStateStore
from hosting.clock import epoch_ms
from hosting.state import sweep
from hosting.web import BearerTokens
from hosting_testkit import InMemoryHost, VirtualClock
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Recorder

DAY = 86_400.0


async def say(host: InMemoryHost, text: str, session: str | None = None, **kwargs: Any) -> Any:
    answer = await host.post("/say", json={"say": text, "session": session}, **kwargs)
    return (
        answer.json() if answer.status_code == 200 else (answer.status_code, answer.json()["error"]["code"])
    )


async def test_turns_of_one_session_continue_each_other(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:
        assert "turn 1" in (await say(host, "a", "s"))["said"]
        assert "turn 2" in (await say(host, "b", "s"))["said"]
        assert "turn 1" in (await say(host, "c", "other"))["said"]


async def test_a_turn_without_a_key_runs_without_a_session(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:
        assert "turn 1" in (await say(host, "a"))["said"]
        assert "turn 1" in (await say(host, "b"))["said"]


async def test_two_callers_with_the_same_key_do_not_share_a_session(say_channel: Any) -> None:
    channel = say_channel(auth=BearerTokens({"token-a": "ann", "token-b": "ben"}))
    async with InMemoryHost(Counting(), [channel]) as host:
        await say(host, "a", "s", headers={"authorization": "Bearer token-a"})
        other = await say(host, "b", "s", headers={"authorization": "Bearer token-b"})
        assert "turn 1" in other["said"]


async def test_two_channels_that_name_one_session_share_it(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel(), say_channel("also", "/also")]) as host:
        await say(host, "a", "s")
        answer = await host.post("/also", json={"say": "b", "session": "s"})
        assert "turn 2" in answer.json()["said"]


async def test_a_session_survives_a_restart_on_sqlite(say_channel: Any, tmp_path: Path) -> None:
    def state() -> SqliteHostStateStore:
        return SqliteHostStateStore(tmp_path / "hosting.db")

    async with InMemoryHost(Counting(), [say_channel()], state=state()) as host:
        await say(host, "a", "s")
    async with InMemoryHost(Counting(), [say_channel()], state=state()) as host:
        assert "turn 2" in (await say(host, "b", "s"))["said"]


@pytest.mark.parametrize("key", ["a:b", "a\x1fb", "ключ", "é", "e\u0301", "../../etc/passwd", "x" * 1024])
async def test_any_text_up_to_a_kilobyte_names_its_own_session(say_channel: Any, key: str) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:
        await say(host, "a", "é" if key != "é" else "e\u0301")
        assert "turn 1" in (await say(host, "b", key))["said"]
        assert "turn 2" in (await say(host, "c", key))["said"]


@pytest.mark.parametrize("key", ["x" * 1025, "a\0b", "ж" * 513])
async def test_a_key_that_is_too_long_or_holds_nul_is_400(say_channel: Any, key: str) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:
        assert await say(host, "a", key) == (400, "invalid_request")


async def test_a_failed_turn_leaves_the_session_as_it_was(say_channel: Any) -> None:
    class Sometimes(Counting):
        async def answer(self, run: Any) -> Any:
            async for update in super().answer(run):
                yield update
            if "fail" in run.text:
                raise RuntimeError("no")

    async with InMemoryHost(Sometimes(), [say_channel()]) as host:
        await say(host, "a", "s")
        assert await say(host, "fail", "s") == (500, "internal_error")
        assert (await say(host, "b", "s"))["said"] == ["turn 2"]
        assert (await say(host, "recall", "s"))["said"] == ["heard: a | b"]


async def test_a_reset_key_begins_a_new_session_and_keeps_the_old_one(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:

        async def turn(**session: Any) -> str:
            request = ChannelRequest(channel="say", input="x", session=ChannelSession("key", **session))
            return (await host.host.run(request)).text

        assert "turn 1" in await turn()
        assert "turn 2" in await turn()
        await host.host.reset_session("key")
        assert "turn 1" in await turn()
        assert "turn 3" in await turn(key="main")


async def test_session_mode_required_without_a_key_is_409(say_channel: Any) -> None:
    channel = say_channel(run_hook=lambda request: request.replace(session_mode="required"))
    async with InMemoryHost(Echo(), [channel]) as host:
        assert await say(host, "a") == (409, "session_required")


async def test_session_mode_disabled_leaves_no_session(say_channel: Any) -> None:
    channel = say_channel(run_hook=lambda request: request.replace(session_mode="disabled"))
    async with InMemoryHost(Counting(), [channel]) as host:
        await say(host, "a", "s")
        assert "turn 1" in (await say(host, "b", "s"))["said"]


async def test_a_child_starts_as_its_parent_was_and_children_do_not_see_each_other(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:

        async def turn(key: str, parent: str | None = None, say: str = "x") -> str:
            session = ChannelSession("me", key=key, parent_key=parent)
            return (await host.host.run(ChannelRequest(channel="say", input=say, session=session))).text

        await turn("root", say="root words")
        assert await turn("left", "root", "left words") == "turn 2"
        assert await turn("right", "root", "right words") == "turn 2"
        assert await turn("leaf", "right", "recall") == "heard: root words | right words"


async def test_an_unknown_parent_and_a_foreign_one_look_alike(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:
        owned = ChannelSession("ann", key="hers")
        await host.host.run(ChannelRequest(channel="say", input="x", session=owned))
        said: list[str] = []
        for parent in ("hers", "nobody's"):
            session = ChannelSession("ben", key="mine", parent_key=parent)
            with pytest.raises(Exception, match="no such") as caught:
                await host.host.run(ChannelRequest(channel="say", input="x", session=session))
            said.append(f"{type(caught.value).__name__}: {caught.value}")
        assert said[0] == said[1]


async def test_turns_of_one_session_run_one_at_a_time_in_the_order_they_asked(say_channel: Any) -> None:
    gate = Gate()
    recorder = Recorder(gate)
    async with InMemoryHost(recorder, [say_channel()]) as host, asyncio.TaskGroup() as group:
        first = group.create_task(say(host, "one", "s"))
        await gate.reached("one")
        second = group.create_task(say(host, "two", "s"))
        third = group.create_task(say(host, "three", "s"))
        with pytest.raises(AssertionError):
            await gate.reached("two", timeout=0)
        gate.release("one")
        await gate.reached("two")
        gate.release("two")
        await gate.reached("three")
        gate.release("three")
        await asyncio.wait([first, second, third])
        assert [run.text for run in recorder.runs] == ["one", "two", "three"]


async def test_a_busy_session_refuses_by_policy(say_channel: Any) -> None:
    gate = Gate()
    async with (
        InMemoryHost(gate, [say_channel()], limits=HostLimits(turn_policy="reject")) as host,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(say(host, "one", "s"))
        await gate.reached("one")
        assert await say(host, "two", "s") == (409, "turn_in_progress")
        gate.release("one")
        assert (await first)["said"] == ["one"]


async def test_past_the_queue_of_a_session_a_turn_is_429(say_channel: Any) -> None:
    gate = Gate()
    async with (
        InMemoryHost(gate, [say_channel()], limits=HostLimits(session_queue=0)) as host,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(say(host, "one", "s"))
        await gate.reached("one")
        answer = await host.post("/say", json={"say": "two", "session": "s"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        gate.release("one")
        await first


async def test_an_interrupting_turn_cancels_the_running_one(say_channel: Any) -> None:
    gate = Gate()
    async with (
        InMemoryHost(gate, [say_channel()], limits=HostLimits(turn_policy="interrupt")) as host,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(host.post("/say", json={"say": "one", "session": "s"}))
        await gate.reached("one")
        second = group.create_task(say(host, "two", "s"))
        await gate.reached("two")
        gate.release("two")
        assert (await second)["said"] == ["two"]
        assert (await first).json() == {"said": []}


async def test_a_turn_started_inside_a_turn_of_its_session_fails_at_once(say_channel: Any) -> None:
    hosts: list[InMemoryHost] = []
    refused: list[str] = []

    class Nesting(Counting):
        async def answer(self, run: Any) -> Any:
            session = ChannelSession("local", key="s")
            try:
                await hosts[0].host.run(ChannelRequest(channel="say", input="inner", session=session))
            except Exception as exc:
                refused.append(getattr(exc, "code", repr(exc)))
            async for update in super().answer(run):
                yield update

    async with InMemoryHost(Nesting(), [say_channel()]) as host:
        hosts.append(host)
        assert "turn 1" in (await say(host, "outer", "s"))["said"]
    assert refused == ["turn_in_progress"]


async def test_slots_bound_runs_over_all_sessions(say_channel: Any) -> None:
    gate = Gate()
    limits = HostLimits(max_concurrent_runs=1, run_queue=0)
    async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
        first = group.create_task(say(host, "one", "a"))
        await gate.reached("one")
        assert await say(host, "two", "b") == (429, "rate_limited")
        gate.release("one")
        await first
        gate.release("three")
        assert (await say(host, "three", "b"))["said"] == ["three"]


async def test_a_failing_target_frees_session_and_slot(say_channel: Any) -> None:
    limits = HostLimits(max_concurrent_runs=1, run_queue=0, session_queue=0)
    async with InMemoryHost(Failing(RuntimeError("x")), [say_channel()], limits=limits) as host:
        for _ in range(3):
            assert await say(host, "a", "s") == (500, "internal_error")


@pytest.mark.parametrize("cached", [True, False])
async def test_a_session_that_rested_for_its_time_begins_anew_swept_or_not(
    say_channel: Any, cached: bool
) -> None:
    clock, store = VirtualClock(), InMemoryHostStateStore()
    limits = HostLimits(session_ttl=7 * DAY, session_cache=10 if cached else 1)
    async with InMemoryHost(
        Counting(), [say_channel()], state=store, limits=limits, time_source=clock
    ) as host:

        async def later(days: float, name: str) -> str:
            clock.advance(days * DAY)
            await sweep(store, epoch_ms(clock))
            await say(host, "push the others out of the cache", "z")
            return (await say(host, "a", name))["said"][0]

        answers = [await later(days, "s") for days in (0, 6, 6, 7, 1, 9)]
    assert [answer.split()[-1] for answer in answers] == ["1", "2", "3", "1", "2", "1"]


async def test_a_turn_that_began_before_its_session_expired_is_saved(say_channel: Any) -> None:
    clock, store, gate = VirtualClock(), InMemoryHostStateStore(), Gate()
    limits = HostLimits(session_ttl=DAY)
    async with InMemoryHost(gate, [say_channel()], state=store, limits=limits, time_source=clock) as host:
        gate.release("a")
        await say(host, "a", "s")
        clock.advance(DAY - 1)
        turn = asyncio.create_task(say(host, "b", "s"))
        await gate.reached("b")
        clock.advance(3600)
        await sweep(store, epoch_ms(clock))
        gate.release("b")
        assert (await turn)["said"]
