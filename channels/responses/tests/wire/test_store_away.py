"""A store that goes away under a stream: the client is told inside the protocol, and the end is stored later (contract 7.4)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any

import pytest

from hosting import InMemoryHostStateStore
from hosting.clock import epoch_ms
from hosting.state import Rows, Statement, StateUnavailable, sweep
from hosting.state.tables.sessions import load_session
from hosting_responses import ResponsesChannel
from hosting_testkit import InMemoryHost, VirtualClock, virtual_time
from hosting_testkit.targets import Echo, Scripted, steps
from tests.host.shared_state import Line


class NoDeletions(InMemoryHostStateStore):
    """Goes away whenever a session is to be deleted, as a server does that is restarted then."""

    async def execute(self, *unit: Statement) -> list[Rows]:
        if any(statement.name == "sessions.delete" for statement in unit):
            raise StateUnavailable("the server is restarted")
        return await super().execute(*unit)


@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_be_forgotten_at_once_is_answered_all_the_same_and_gone_days_later(
    stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    clock, state = VirtualClock(), NoDeletions()
    async with InMemoryHost(Echo(), [ResponsesChannel()], state=state, time_source=clock) as host:
        answer = await host.post("/responses", json={"input": "x", "stream": stream, "store": False})
        text = answer.text.split("response.completed")[-1]
        response_id = re.findall(r"resp_\w+", text)[0]
        load = load_session("local", response_id)
        kept = (await state.execute(load))[0]
        clock.advance(2 * 86_400 + 1)
        await sweep(state, epoch_ms(clock))
        assert (answer.status_code, '"completed"' in text) == (200, True)
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert kept and not (await state.execute(load))[0]


@virtual_time
async def test_a_stream_whose_store_went_away_ends_and_its_end_is_stored_later() -> None:
    target, state = Scripted("one ", steps.Stop("middle"), "two"), InMemoryHostStateStore()
    await state.open()
    line = Line(state)
    async with InMemoryHost(target, [ResponsesChannel()], state=line) as host:
        async with host.stream("POST", "/responses", json={"input": "x", "stream": True}) as stream:
            events: list[Any] = []
            async for text in stream.aiter_lines():
                if text.startswith("data: {"):
                    events.append(json.loads(text.removeprefix("data: ")))
                if events and events[-1].get("delta") == "one ":
                    line.cut = True
                    target.gates.release("middle")
        await asyncio.sleep(3)
        line.cut = False
        await asyncio.sleep(3)
        stored = await host.get(f"/responses/{events[0]['response']['id']}")
    await state.close()
    assert events[-1]["type"] == "response.failed"
    assert (stored.status_code, stored.json()["status"]) == (200, "failed")
