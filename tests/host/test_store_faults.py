"""A store that is away, at any of a turn's accesses: 503, the session unharmed, the next turn works (contract 4.1, 14.1)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import Agent

from hosting import HostingError, HostLimits, InMemoryHostStateStore
from hosting.state import Statement, StateOutcomeUnknown, StateUnavailable
from hosting.state.base import Rows
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Counting, Gate, ScriptedChatClient
from tests.host.shared_state import Line
from tests.host.stores import ThreadedStore
from tests.host.turns import run, sent

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


class Flaky(ThreadedStore):
    """Refuses units that hold a statement of the name `at`; for long: every unit from then on."""

    def __init__(self, *, inline: bool = False, for_long: bool = False) -> None:
        super().__init__()
        self.inline = inline
        self.at = ""
        self._for_long = for_long

    async def execute(self, *unit: Statement) -> Any:
        if self.at and any(statement.name.startswith(self.at) for statement in unit):
            if self._for_long:
                self.at = "."
            raise StateUnavailable("the disk is full")
        if self.at == ".":
            raise StateUnavailable("the disk is still full")
        return await super().execute(*unit)


@STREAMED
@pytest.mark.parametrize("for_long", [False, True], ids=["once", "for long"])
@pytest.mark.parametrize("inline", [False, True], ids=["threaded", "inline"])
@pytest.mark.parametrize("at", ["turns.begin", "sessions.load", "history.load", "sessions.save"])
async def test_a_turn_whose_store_is_away_is_503_and_did_not_happen(
    say_channel: Any, at: str, inline: bool, for_long: bool, stream: bool
) -> None:
    store = Flaky(inline=inline, for_long=for_long)
    model = ScriptedChatClient("well")
    limits = HostLimits(session_cache=1, max_concurrent_runs=1, run_queue=0, session_queue=0)
    async with InMemoryHost(Agent(client=model), [say_channel()], state=store, limits=limits) as host:
        await run(host, "one", "s")
        await run(host, "other", "evicts the first")
        store.at = at
        with pytest.raises(HostingError) as caught:
            await run(host, "lost", "s", stream=stream, delivery_id="key")
        assert (caught.value.status, caught.value.code) == (503, "not_ready")
        store.at = ""
        await run(host, "two", "s")
    assert sent(model)[-1] == [("user", "one"), ("assistant", "well"), ("user", "two")]


async def test_the_client_is_told_when_to_try_again_and_nothing_of_the_store(say_channel: Any) -> None:
    store = Flaky()
    async with InMemoryHost(Counting(), [say_channel()], state=store) as host:
        store.at = "sessions"
        answer = await host.post("/say", json={"say": "x", "session": "s"})
        store.at = ""
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert "disk" not in answer.text
        assert (await host.get("/readiness")).status_code == 200


async def test_a_session_state_that_is_no_json_fails_its_turn_and_keeps_the_session(say_channel: Any) -> None:
    class Hoarding(Counting):
        async def answer(self, run: Any) -> Any:
            if run.text == "hoard":
                run.session.state["object"] = object()
            async for update in super().answer(run):
                yield update

    async with InMemoryHost(Hoarding(), [say_channel()]) as host:
        await run(host, "x", "s")
        for stream in (False, True):
            with pytest.raises(HostingError) as caught:
                await run(host, "hoard", "s", stream=stream)
            assert caught.value.status == 500
        assert (await run(host, "x", "s")).text == "turn 2"


class LostAnswer(ThreadedStore):
    """Loses the answer to one unit that ends a turn, which it has kept or not; then it is away for some seconds."""

    def __init__(self, *, keeps: bool, away: float) -> None:
        super().__init__()
        self._keeps = keeps
        self._away = away
        self._back_at: float | None = None

    async def execute(self, *unit: Statement) -> Any:
        now = asyncio.get_running_loop().time()
        if self._back_at is None and any(statement.name == "turns.add_ended" for statement in unit):
            self._back_at = now + self._away
            if self._keeps:
                await super().execute(*unit)
            raise StateOutcomeUnknown("the connection broke")
        if self._back_at is not None and now < self._back_at:
            raise StateUnavailable("the store is away")
        return await super().execute(*unit)


@STREAMED
@pytest.mark.parametrize("keeps", [False, True], ids=["not kept", "kept"])
@virtual_time
async def test_a_commit_whose_answer_was_lost_is_found_out_and_told(
    say_channel: Any, keeps: bool, stream: bool
) -> None:
    model = ScriptedChatClient("well")
    store = LostAnswer(keeps=keeps, away=5.5)
    async with InMemoryHost(Agent(client=model), [say_channel()], state=store) as host:
        await run(host, "one", "s", stream=stream)
        await run(host, "two", "s")
    assert sent(model)[-1] == [("user", "one"), ("assistant", "well"), ("user", "two")]


@virtual_time
async def test_a_commit_of_which_nothing_can_be_found_out_fails_its_turn(say_channel: Any) -> None:
    store = LostAnswer(keeps=True, away=60.0)
    async with InMemoryHost(Counting(), [say_channel()], state=store) as host:
        with pytest.raises(HostingError) as caught:
            await run(host, "one", "s")
        await asyncio.sleep(60)
    assert (caught.value.status, caught.value.code) == (503, "not_ready")


class Full(Line):
    """Can be read and takes no writes, once it is full."""

    full = False

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self.full and any(statement.name == "instances.keep" for statement in unit):
            raise StateUnavailable("the disk is full")
        return await super().execute(*unit)


@virtual_time
async def test_a_host_whose_store_takes_no_writes_is_not_ready() -> None:
    state = InMemoryHostStateStore()
    await state.open()
    line = Full(state)
    async with InMemoryHost(Counting(), [], state=line) as host:
        line.full = True
        await asyncio.sleep(6)
        refused = await host.get("/readiness")
        assert (refused.status_code, refused.json()) == (503, {"status": "the state store takes no writes"})
        line.full = False
        await asyncio.sleep(2)
        assert (await host.get("/readiness")).status_code == 200
    await state.close()


class Away(ThreadedStore):
    """Refuses everything while it is away."""

    away = False

    async def execute(self, *unit: Statement) -> Any:
        if self.away:
            raise StateUnavailable("the store is away")
        return await super().execute(*unit)


@virtual_time
async def test_a_key_is_free_again_once_a_store_is_back_that_was_away_at_the_end_of_its_turn(
    say_channel: Any,
) -> None:
    gate, store = Gate(), Away()
    limits = HostLimits(max_concurrent_runs=1, run_queue=0)
    async with InMemoryHost(gate, [say_channel()], state=store, limits=limits) as host:
        lost = asyncio.create_task(run(host, "lost", "s", delivery_id="key"))
        await gate.reached("lost")
        store.away = True
        gate.release("lost")
        with pytest.raises(HostingError) as caught:
            await lost
        assert caught.value.code == "not_ready"
        await asyncio.sleep(5)
        store.away = False
        await asyncio.sleep(2)
        with pytest.raises(HostingError) as again:
            await run(host, "lost", "s", delivery_id="key")
        assert (again.value.status, again.value.code) == (503, "not_ready")
        gate.release("other")
        await run(host, "other", "s", delivery_id="key 2")
