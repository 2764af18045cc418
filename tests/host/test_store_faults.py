"""A store that is away, at any of a turn's accesses: 503, the session unharmed, the next turn works (contract 4.1, 14.1)."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Agent

from hosting import HostingError, HostLimits
from hosting.state import Statement, StateUnavailable
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Counting, ScriptedChatClient
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
