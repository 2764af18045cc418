"""A response that runs on one host and is asked about at another (contract 6.8, 12.2)."""

from __future__ import annotations

from contextlib import AsyncExitStack

from hosting import InMemoryHostStateStore
from hosting_responses import ResponsesChannel
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Echo, Scripted, steps
from tests.host.shared_state import Line


@virtual_time
async def test_a_foreground_response_is_cancelled_from_another_host() -> None:
    target, state = Scripted("one ", steps.Stop("middle"), "two"), InMemoryHostStateStore()
    await state.open()
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(InMemoryHost(agent, [ResponsesChannel()], state=Line(state)))
            for agent in (target, Echo())
        ]
        async with one.stream("POST", "/responses", json={"input": "hello", "stream": True}) as stream:
            lines = stream.aiter_lines()
            while '"id":"' not in (line := await anext(lines)):
                continue
            response_id = line.partition('"id":"')[2].partition('"')[0]
            cancelled = await two.post(f"/responses/{response_id}/cancel")
            rest = [line async for line in lines]
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert "response.failed" in "".join(rest)
    await state.close()
