"""Background responses, through the official client (channels 1.3, contract 12)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest

from channels.responses.tests.oracles import check_response, check_stream
from channels.responses.tests.wire.conftest import Serve
from channels.responses.tests.wire.test_sessions import memory_agent
from hosting import HostLimits
from hosting.web import BearerTokens
from hosting_responses import ResponsesChannel
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Echo, Failing, Gate, Recorder, Scripted, steps


async def ended(client: Any, response_id: str) -> Any:
    async for _ in await client.responses.retrieve(response_id, stream=True):
        continue
    return await client.responses.retrieve(response_id)


async def events_of(stream: Any) -> list[dict[str, Any]]:
    return [event.model_dump(mode="json", exclude_unset=True) async for event in stream]


async def test_a_background_response_is_answered_at_once_polled_and_continued(serve: Serve):
    gate = Gate()
    served = await serve(gate)

    asked = await served.openai.responses.create(model="m", input="hello", background=True)
    await gate.reached("hello")
    running = await served.openai.responses.retrieve(asked.id)
    gate.release("hello")
    done = await ended(served.openai, asked.id)

    assert (asked.status, running.status, done.status) == ("queued", "in_progress", "completed")
    assert (asked.background, done.background, done.output_text) == (True, True, "hello")
    check_response(done.model_dump(mode="json", exclude_unset=True))


async def test_a_chain_goes_on_from_a_background_response(serve: Serve):
    served = await serve(memory_agent())

    first = await served.openai.responses.create(model="m", input="a", background=True)
    await ended(served.openai, first.id)
    second = await served.openai.responses.create(model="m", input="b", previous_response_id=first.id)
    third = await served.openai.responses.create(
        model="m", input="c", previous_response_id=second.id, background=True
    )

    assert second.output_text == "a|b"
    assert (await ended(served.openai, third.id)).output_text == "a|b|c"


async def test_a_response_cannot_be_continued_before_its_end(serve: Serve):
    gate = Gate()
    served = await serve(gate)
    first = await served.openai.responses.create(model="m", input="a", background=True)

    with pytest.raises(openai.ConflictError):
        await served.openai.responses.create(model="m", input="b", previous_response_id=first.id)

    gate.release("a")
    await ended(served.openai, first.id)


async def test_whoever_resumes_reads_the_same_bytes_as_one_that_stayed(serve: Serve):
    target = Scripted(*(f"{n} " for n in range(40)), steps.Stop("middle"), *(f"{n} " for n in range(40, 60)))
    served = await serve(target)
    whole = ""
    async with served.host.stream(
        "POST", "/responses", json={"input": "x", "background": True, "stream": True}
    ) as stayed:
        async for text in stayed.aiter_text():
            whole += text
            if "39 " in whole:
                target.gates.release("middle")
    frames = whole.split("\n\n")
    response_id = frames[0].partition('"id":"')[2].partition('"')[0]

    for after in (-1, 0, 3, 20, len(frames) - 3):
        again = await served.get(f"/responses/{response_id}?stream=true&starting_after={after}")
        assert again.text.split("\n\n") == frames[after + 1 :]


async def test_the_official_client_resumes_a_stream(serve: Serve):
    target = Scripted("one ", "two ", steps.Stop("middle"), "three")
    served = await serve(target)
    stream = await served.openai.responses.create(model="m", input="x", background=True, stream=True)
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

    events = [event.model_dump(mode="json", exclude_unset=True) for event in seen]
    check_stream([*events, *(await events_of(rest))])


async def test_a_reader_that_leaves_does_not_stop_the_response(serve: Serve):
    gate = Gate()
    served = await serve(gate)
    stream = await served.openai.responses.create(model="m", input="hello", background=True, stream=True)
    created = await anext(stream)
    await stream.close()
    await gate.reached("hello")
    gate.release("hello")

    assert (await ended(served.openai, created.response.id)).output_text == "hello"


async def test_a_background_response_is_cancelled_and_stays_so(serve: Serve):
    gate = Gate()
    served = await serve(gate)
    asked = await served.openai.responses.create(model="m", input="hello", background=True)
    await gate.reached("hello")

    for _ in range(2):
        assert (await served.openai.responses.cancel(asked.id)).status == "cancelled"

    assert gate.waiting("hello") == 0
    assert (await served.openai.responses.retrieve(asked.id)).status == "cancelled"


async def test_a_deleted_background_response_is_gone_and_runs_no_more(serve: Serve):
    gate = Gate()
    served = await serve(gate)
    asked = await served.openai.responses.create(model="m", input="hello", background=True)
    await gate.reached("hello")

    await served.openai.responses.delete(asked.id)

    assert gate.waiting("hello") == 0
    with pytest.raises(openai.NotFoundError):
        await served.openai.responses.retrieve(asked.id)


async def test_a_failure_is_in_the_response_and_at_the_end_of_its_stream(serve: Serve):
    served = await serve(Failing(RuntimeError("secret 4711"), after=1))

    stream = await served.openai.responses.create(model="m", input="x", background=True, stream=True)
    events = await events_of(stream)
    response = await served.openai.responses.retrieve(events[0]["response"]["id"])

    assert events[-1]["type"] == "response.failed"
    assert (response.status, "4711" in response.model_dump_json()) == ("failed", False)


async def test_another_caller_learns_nothing(serve: Serve):
    served = await serve(Echo(), auth=BearerTokens({"alice": "alice", "mallory": "mallory"}))
    asked = await served.openai.responses.create(model="m", input="x", background=True)
    other = {"authorization": "Bearer mallory"}

    told = [
        await served.get(f"/responses/{asked.id}", headers=other),
        await served.get(f"/responses/{asked.id}?stream=true", headers=other),
        await served.post(f"/responses/{asked.id}/cancel", headers=other),
        await served.get("/responses/resp_unknown", headers=other),
    ]

    assert {(answer.status_code, answer.text) for answer in told} == {(404, told[-1].text)}


async def test_the_same_idempotency_key_gives_the_same_response(serve: Serve):
    target = Recorder(Echo())
    served = await serve(target)
    key = {"idempotency-key": "k1"}
    body = {"input": "hello", "background": True}

    first = (await served.post(json=body, headers=key)).json()
    again = (await served.post(json=body, headers=key)).json()
    await ended(served.openai, first["id"])
    later = (await served.post(json=body, headers=key)).json()

    assert first["id"] == again["id"] == later["id"]
    assert (later["status"], len(target.runs)) == ("completed", 1)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "x", "background": True, "store": False}, "store"),
        ({"input": "x", "background": "yes"}, "background"),
        ({"input": "", "background": True}, "input"),
    ],
)
async def test_a_wrong_request_is_refused_before_anything_is_stored(serve: Serve, body: Any, param: str):
    served = await serve(Echo())

    answer = await served.post(json=body)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("query", ["starting_after=x", "starting_after="])
async def test_a_wrong_place_to_resume_is_refused(serve: Serve, query: str):
    served = await serve(Echo())
    asked = await served.openai.responses.create(model="m", input="x", background=True)

    answer = await served.get(f"/responses/{asked.id}?stream=true&{query}")

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "starting_after")


async def test_only_background_responses_are_streamed_again(serve: Serve):
    served = await serve(Echo())
    response = await served.openai.responses.create(model="m", input="x")

    answer = await served.get(f"/responses/{response.id}?stream=true")

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "stream")


@virtual_time
async def test_a_stream_is_refused_once_its_events_are_gone_although_the_response_is_kept():
    limits = HostLimits(background_ttl=60)
    async with InMemoryHost(Echo(), lambda: [ResponsesChannel()], limits=limits) as host:
        asked = (await host.post("/responses", json={"input": "x", "background": True})).json()
        await asyncio.sleep(120)

        kept = await host.get(f"/responses/{asked['id']}")
        again = await host.get(f"/responses/{asked['id']}?stream=true")

    assert (kept.status_code, kept.json()["status"]) == (200, "completed")
    assert (again.status_code, again.json()["error"]["param"]) == (400, "stream")


async def test_a_background_response_goes_on_after_a_restart(serve: Serve, tmp_path: Path):
    gate = Gate()
    served = await serve(gate, host={"state_dir": tmp_path})
    asked = await served.openai.responses.create(model="m", input="hello", background=True)
    await gate.reached("hello")

    await served.host.restart()
    await gate.reached("hello", 2)
    gate.release("hello")

    await served.get(f"/responses/{asked.id}?stream=true")
    answer = await served.get(f"/responses/{asked.id}")
    assert answer.json()["status"] == "completed"


async def test_a_reader_is_sent_away_without_an_end_when_the_host_stops(serve: Serve):
    gate = Gate()
    served = await serve(gate, host={"limits": HostLimits(drain_timeout=0.1)})
    async with served.host.stream(
        "POST", "/responses", json={"input": "hello", "background": True, "stream": True}
    ) as stream:
        await gate.reached("hello")
        await served.host.shutdown()
        text = "".join([part async for part in stream.aiter_text()])

    assert "response.in_progress" in text
    assert "response.failed" not in text
    assert "[DONE]" not in text
