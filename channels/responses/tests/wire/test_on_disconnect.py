"""`on_disconnect="continue"`: a response that does not depend on its client (contract 7.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import openai
import pytest

from channels.responses.tests.oracles import check_response, check_stream
from channels.responses.tests.wire.conftest import Serve, Served
from channels.responses.tests.wire.test_background import ended, events_of
from channels.responses.tests.wire.test_sessions import memory_agent
from hosting import HostLimits
from hosting_testkit.targets import Failing, Gate, Recorder, Scripted, steps

KEPT: dict[str, Any] = {"on_disconnect": "continue"}


async def test_whoever_stays_sees_no_difference(serve: Serve):
    served = await serve(memory_agent(), **KEPT)

    first = await served.openai.responses.create(model="m", input="a")
    stream = await served.openai.responses.create(
        model="m", input="b", previous_response_id=first.id, stream=True
    )
    events = await events_of(stream)

    check_response(first.model_dump(mode="json", exclude_unset=True))
    check_stream(events)
    assert (first.status, first.background, first.output_text) == ("completed", False, "a")
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "a|b"
    assert events[-1]["response"]["background"] is False


async def test_a_stream_that_lost_its_reader_goes_on_and_is_read_from_where_it_was(serve: Serve):
    target = Scripted("one ", "two ", steps.Stop("middle"), "three")
    served = await serve(target, **KEPT)
    stream = await served.openai.responses.create(model="m", input="x", stream=True)
    seen: list[Any] = []
    async for event in stream:
        seen.append(event)
        if getattr(event, "delta", "") == "two ":
            break
    await stream.close()
    target.gates.release("middle")

    rest = await served.openai.responses.retrieve(
        seen[0].response.id, stream=True, starting_after=seen[-1].sequence_number
    )

    check_stream(
        [*(event.model_dump(mode="json", exclude_unset=True) for event in seen), *(await events_of(rest))]
    )
    assert (await served.openai.responses.retrieve(seen[0].response.id)).output_text == "one two three"


async def _left(served: Served, gate: Gate, **headers: str) -> None:
    """A client that asks for one JSON answer and goes."""
    call = asyncio.create_task(served.post(json={"input": "hello"}, headers=headers))
    await gate.reached("hello")
    call.cancel()
    await asyncio.wait([call])


async def test_a_request_for_json_goes_on_too_and_its_key_finds_the_answer(serve: Serve):
    gate = Gate()
    recorder = Recorder(gate)
    served = await serve(recorder, **KEPT)
    await _left(served, gate, **{"idempotency-key": "k"})
    gate.release("hello")

    again = await served.post(json={"input": "hello"}, headers={"idempotency-key": "k"})

    assert again.status_code == 200 and again.json()["status"] == "completed"
    assert len(recorder.runs) == 1
    assert (await ended(served.openai, again.json()["id"])).output_text == "hello"


async def test_what_is_not_stored_ends_with_its_client(serve: Serve):
    gate = Gate()
    served = await serve(gate, **KEPT)
    call = asyncio.create_task(served.post(json={"input": "hello", "store": False}))
    await gate.reached("hello")
    call.cancel()
    await asyncio.wait([call])

    assert gate.waiting("hello") == 0


async def test_a_failure_has_its_status_and_can_be_retrieved(serve: Serve):
    served = await serve(Failing(), **KEPT)

    with pytest.raises(openai.InternalServerError) as told:
        await served.openai.responses.create(model="m", input="hello")
    stream = await served.openai.responses.create(model="m", input="hello", stream=True)
    events = await events_of(stream)

    assert told.value.body["code"] == "internal_error"  # pyright: ignore[reportIndexIssue] - a JSON object
    assert events[-1]["type"] == "response.failed"
    assert (await served.openai.responses.retrieve(events[0]["response"]["id"])).status == "failed"


async def test_a_server_that_stops_sends_the_waiting_client_away(serve: Serve):
    gate = Gate()
    served = await serve(gate, host={"limits": HostLimits(drain_timeout=0.05)}, **KEPT)
    call = asyncio.create_task(served.post(json={"input": "hello"}))
    await gate.reached("hello")

    await served.host.shutdown()

    answer: httpx.Response = await call
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    check_error = answer.json()["error"]
    assert check_error["code"] == "not_ready"


async def test_a_websocket_that_closes_leaves_its_response_running(serve: Serve):
    gate = Gate()
    served = await serve(gate, **KEPT)
    async with served.host.ws("/responses") as socket:
        await socket.send_json({"type": "response.create", "model": "m", "input": "hello"})
        created = await socket.receive_json()
        await gate.reached("hello")
    gate.release("hello")

    assert (await ended(served.openai, created["response"]["id"])).output_text == "hello"
