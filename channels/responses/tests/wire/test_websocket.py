"""The WebSocket transport, with the official client and frame by frame (channels 1.1, protocols 1)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from openai import AsyncOpenAI

from channels.responses.tests.oracles import check_stream
from channels.responses.tests.wire.conftest import Serve
from channels.responses.tests.wire.server import listening
from channels.responses.tests.wire.test_sessions import memory_agent
from hosting import Caller, HostLimits, NotAuthenticated
from hosting_responses import ResponsesChannel
from hosting_testkit.clock import virtual_time
from hosting_testkit.host.memory_host import InMemoryHost
from hosting_testkit.targets import Echo, Flood, Scripted, steps
from hosting_testkit.transports import (
    BridgeOptions,
    WebSocketClosed,
    WebSocketRejected,
    WebSocketSession,
)

TERMINAL = ("response.completed", "response.failed", "response.incomplete", "error")


async def ask(session: WebSocketSession, **body: Any) -> list[dict[str, Any]]:
    """Sends one create and reads to its end."""
    await session.send_text(json.dumps({"type": "response.create", **body}))
    return await read(session)


async def read(session: WebSocketSession) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] not in TERMINAL:
        events.append(json.loads(await session.receive_text()))
    return events


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


async def test_the_official_client_creates_and_continues_over_a_websocket():
    async with (
        listening(memory_agent()) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client,
        client.responses.connect() as connection,
    ):
        await connection.response.create(model="m", input="a")
        first = await until_end(connection)
        await connection.response.create(
            model="m", input="b", previous_response_id=first[-1]["response"]["id"]
        )
        second = await until_end(connection)

    check_stream(first)
    assert text_of(second) == "a|b"


async def until_end(connection: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async for event in connection:
        events.append(event.model_dump(mode="json", exclude_unset=True))
        if event.type in TERMINAL:
            break
    return events


@pytest.mark.parametrize("path", ["/responses", "/v1/responses", "/responses/ws", "/v1/responses/ws"])
async def test_every_address_answers(serve: Serve, path: str):
    served = await serve(Echo())

    async with served.host.ws(path) as session:
        check_stream(await ask(session, input="hi"))


async def test_a_response_that_is_not_stored_goes_on_over_its_own_socket_only(serve: Serve):
    served = await serve(memory_agent())

    async with served.host.ws("/responses") as session:
        first = (await ask(session, input="a", store=False))[-1]["response"]["id"]
        async with served.host.ws("/responses") as other:
            elsewhere = await ask(other, input="x", previous_response_id=first)
        second = await ask(session, input="b", store=False, previous_response_id=first)
    async with served.host.ws("/responses") as session:
        later = await ask(session, input="c", previous_response_id=second[-1]["response"]["id"])

    assert text_of(second) == "a|b"
    assert elsewhere[-1]["error"]["code"] == later[-1]["error"]["code"] == "previous_response_not_found"


async def test_a_failed_continuation_forgets_the_response_it_named(serve: Serve):
    served = await serve(memory_agent())

    async with served.host.ws("/responses") as session:
        first = (await ask(session, input="a", store=False))[-1]["response"]["id"]
        failed = await ask(session, input="", previous_response_id=first)
        again = await ask(session, input="b", previous_response_id=first)

    assert failed[-1]["error"]["param"] == "input"
    assert again[-1]["error"]["code"] == "previous_response_not_found"


async def test_requests_are_answered_one_after_the_other(serve: Serve):
    served = await serve(Echo())

    async with served.host.ws("/responses") as session:
        for text in ("one", "two", "three"):
            await session.send_text(json.dumps({"type": "response.create", "input": text}))
        answers = [text_of(await read(session)) for _ in range(3)]

    assert answers == ["one", "two", "three"]


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "{}",
        '{"type": "response.steer"}',
        '{"type": "response.create"}',
        '{"type": "response.create", "input": "x", "stream": true}',
        '{"type": "response.create", "input": "x", "background": true}',
        '{"type": "response.create", "input": "x", "generate": false}',
    ],
)
async def test_a_wrong_message_is_an_error_event_and_the_socket_stays_open(serve: Serve, message: str):
    served = await serve(Echo())

    async with served.host.ws("/responses") as session:
        await session.send_text(message)
        refused = json.loads(await session.receive_text())
        answered = await ask(session, input="hi")

    assert (refused["type"], refused["status"]) == ("error", 400)
    assert refused["error"].keys() == {"message", "type", "param", "code"}
    assert text_of(answered) == "hi"


@virtual_time
async def test_a_client_that_takes_nothing_for_the_write_timeout_is_gone():
    target = Flood(1000)
    async with (
        InMemoryHost(target, lambda: [ResponsesChannel()]) as running,
        running.ws("/responses", bridge=BridgeOptions(window=1)) as session,
    ):
        await session.send_text(json.dumps({"type": "response.create", "input": "x"}))
        await session.receive_text()
        await asyncio.sleep(HostLimits().write_timeout + 1)
        with pytest.raises(WebSocketClosed) as closed:
            await read(session)

    assert closed.value.code == 1011
    assert target.pulled < 1000


async def test_a_closed_socket_cancels_the_response(serve: Serve):
    target = Scripted("half", steps.Stop("middle"), "rest")
    served = await serve(target)

    async with served.host.ws("/responses") as session:
        await session.send_text('{"type": "response.create", "input": "x"}')
        created = json.loads(await session.receive_text())
        await target.gates.reached("middle")

    assert target.gates.waiting("middle") == 0
    stored = await served.get(f"/responses/{created['response']['id']}")
    assert stored.json()["status"] == "cancelled"


async def test_who_may_not_call_is_refused_before_the_socket_opens(serve: Serve):
    def nobody(connection: object) -> Caller:
        raise NotAuthenticated("")

    served = await serve(Echo(), auth=nobody)

    with pytest.raises(WebSocketRejected):
        async with served.host.ws("/responses"):
            pass
