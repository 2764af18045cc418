"""A store that goes away under a stream: the client is told inside the protocol, and the end is stored later (contract 7.4)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hosting import InMemoryHostStateStore
from hosting_responses import ResponsesChannel
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Scripted, steps
from tests.host.shared_state import Line


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
