"""A host that drains ends what is under way inside the protocol, before the server takes its sockets (contract 1.7)."""

from __future__ import annotations

import json

import pytest

from channels.responses.tests.oracles import check_stream
from channels.responses.tests.wire.conftest import Serve
from hosting import HostLimits
from hosting_testkit.targets import Echo, Hang
from hosting_testkit.transports import WebSocketClosed


async def test_a_stream_that_outlasts_the_drain_fails_and_says_so(serve: Serve):
    served = await serve(Hang("partial"), host={"limits": HostLimits(drain_timeout=0)})

    events = []
    async for event in await served.openai.responses.create(model="m", input="x", stream=True):
        events.append(event.model_dump(mode="json", exclude_unset=True))
        if event.type == "response.output_text.delta":
            served.host.host.begin_drain()

    assert check_stream(events)["status"] == "failed"


async def test_a_websocket_is_closed_once_nothing_is_under_way(serve: Serve):
    served = await serve(Echo())

    async with served.host.ws("/responses") as session:
        await session.send_text('{"type": "response.create", "input": "x"}')
        while json.loads(await session.receive_text())["type"] != "response.completed":
            pass
        served.host.host.begin_drain()
        with pytest.raises(WebSocketClosed) as closed:
            await session.receive_text()

    assert closed.value.code == 1001
