"""Retrieve, cancel, delete, input items, compact, input tokens, conversations, models (channels 1.1)."""

from __future__ import annotations

import asyncio

import openai
import pytest
from openai.types.responses import ResponseItemList

from channels.responses.tests.oracles import check_response
from channels.responses.tests.wire.conftest import Serve
from channels.responses.tests.wire.test_sessions import memory_agent
from hosting_responses import ResponsesChannel
from hosting_testkit.host.memory_host import InMemoryHost
from hosting_testkit.targets import Echo, Gate, Recorder, Scripted, steps


async def test_a_response_is_retrieved_as_it_was_answered(serve: Serve):
    served = await serve(Echo())
    for stream in (False, True):
        answer = await served.post(json={"input": "x", "stream": stream, "metadata": {"k": "v"}})
        final = answer.json() if not stream else _last_response(answer.text)

        stored = await served.get(f"/v1/responses/{final['id']}")

        assert stored.json() == final


async def test_a_stored_response_cannot_be_streamed_again(serve: Serve):
    served = await serve(Echo())
    response = await served.openai.responses.create(model="m", input="x")

    with pytest.raises(openai.BadRequestError) as caught:
        await served.openai.responses.retrieve(response.id, stream=True)

    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "stream")


async def test_a_deleted_response_is_gone(serve: Serve):
    served = await serve(memory_agent())
    response = await served.openai.responses.create(model="m", input="x")
    child = await served.openai.responses.create(model="m", input="y", previous_response_id=response.id)

    deleted = await served.host.client.delete(f"/responses/{response.id}")

    assert deleted.json() == {"id": response.id, "object": "response", "deleted": True}
    assert (await served.get(f"/responses/{response.id}")).status_code == 404
    assert (await served.host.client.delete(f"/responses/{response.id}")).status_code == 404
    after = await served.openai.responses.create(model="m", input="z", previous_response_id=child.id)
    assert after.output_text == "x|y|z"


async def test_a_running_stream_is_in_progress_and_can_be_cancelled(serve: Serve):
    target = Scripted("half", steps.Stop("middle"), "rest")
    served = await serve(target)
    stream = await served.openai.responses.create(model="m", input="x", stream=True)
    created = await anext(aiter(stream))
    await target.gates.reached("middle")
    running = await served.openai.responses.retrieve(created.response.id)

    cancelled = await served.openai.responses.cancel(created.response.id)
    rest = [event async for event in stream]

    assert (running.status, cancelled.status) == ("in_progress", "cancelled")
    assert rest[-1].type == "response.failed"
    assert rest[-1].response.status == "cancelled"
    check_response((await served.get(f"/responses/{cancelled.id}")).json())
    assert (await served.openai.responses.cancel(created.response.id)).status == "cancelled"


async def test_a_finished_response_cannot_be_cancelled(serve: Serve):
    served = await serve(Echo())
    response = await served.openai.responses.create(model="m", input="x")

    with pytest.raises(openai.BadRequestError):
        await served.openai.responses.cancel(response.id)


async def test_a_parent_that_still_runs_is_a_conflict(serve: Serve):
    target = Gate()
    served = await serve(Scripted("half", steps.Stop("middle"), "rest"))
    target = served.host._target
    stream = await served.openai.responses.create(model="m", input="x", stream=True)
    created = await anext(aiter(stream))

    with pytest.raises(openai.ConflictError) as caught:
        await served.openai.responses.create(model="m", input="y", previous_response_id=created.response.id)

    assert caught.value.code == "turn_in_progress"
    target.gates.release_all()
    await stream.close()


async def test_a_client_that_leaves_cancels_and_the_response_says_so(serve: Serve):
    target = Scripted("half", steps.Stop("middle"), "rest")
    served = await serve(target)
    stream = await served.openai.responses.create(model="m", input="x", stream=True)
    created = await anext(aiter(stream))
    await target.gates.reached("middle")

    await stream.close()

    assert target.gates.waiting("middle") == 0
    assert (await served.openai.responses.retrieve(created.response.id)).status == "cancelled"


async def test_a_client_that_leaves_a_one_shot_request_cancels_it(serve: Serve):
    target = Gate()
    served = await serve(target)
    request = asyncio.create_task(served.post(json={"input": "x"}))
    await target.reached("x")

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await served.host.restart()
    assert target.waiting("x") == 0


async def test_input_items_are_listed_in_pages(serve: Serve):
    served = await serve(Echo())
    texts = ["one", "two", "three"]
    response = await served.openai.responses.create(
        model="m",
        input=[
            *({"role": "user", "content": text} for text in texts),
            {"role": "assistant", "content": "four"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "five"},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,cG5n"}]},
        ],
    )

    listed = [
        item async for item in served.openai.responses.input_items.list(response.id, limit=3, order="asc")
    ]
    newest = (await served.get(f"/responses/{response.id}/input_items?limit=1")).json()

    assert [item.type for item in listed] == ["message"] * 4 + [
        "function_call",
        "function_call_output",
        "reasoning",
        "message",
    ]
    assert [item.content[0].text for item in listed[:4]] == [*texts, "four"]
    assert (newest["data"][0]["id"], newest["has_more"]) == (listed[-1].id, True)
    everything = (await served.get(f"/responses/{response.id}/input_items?limit=100")).json()
    ResponseItemList.model_validate(everything)
    assert len({item["id"] for item in everything["data"]}) == len(listed)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up", "after=nothing"])
async def test_a_wrong_page_is_400(serve: Serve, query: str):
    served = await serve(Echo())
    response = await served.openai.responses.create(model="m", input="x")

    assert (await served.get(f"/responses/{response.id}/input_items?{query}")).status_code == 400


async def test_an_item_reference_brings_the_stored_item(serve: Serve):
    recorder = Recorder(Echo())
    served = await serve(recorder)
    first = await served.openai.responses.create(model="m", input="remember this")

    await served.openai.responses.create(
        model="m",
        input=[{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "well?"}],
    )
    unknown = await served.post(json={"input": [{"type": "item_reference", "id": "msg_none_0"}]})

    assert [message.text for message in recorder.runs[1].messages] == ["remember this", "well?"]
    assert (unknown.status_code, unknown.json()["error"]["param"]) == (400, "input[0].id")


async def test_a_compaction_given_back_is_the_conversation(serve: Serve):
    recorder = Recorder(Echo())
    served = await serve(recorder)
    first = await served.openai.responses.create(model="m", input="a")
    second = await served.openai.responses.create(model="m", input="b", previous_response_id=first.id)

    compacted = await served.openai.responses.compact(model="m", previous_response_id=second.id)
    again = [item.model_dump(exclude_none=True) for item in compacted.output]
    await served.openai.responses.create(model="m", input=[*again, {"role": "user", "content": "c"}])

    assert compacted.object == "response.compaction"
    assert [message.text for message in recorder.runs[-1].messages] == ["a", "a", "b", "b", "c"]


async def test_compaction_needs_a_model(serve: Serve):
    served = await serve(Echo())

    answer = await served.post("/responses/compact", json={"input": "x"})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model")


async def test_input_tokens_are_estimated(serve: Serve):
    served = await serve(Echo())

    short = await served.openai.responses.input_tokens.count(input="a")
    long = await served.openai.responses.input_tokens.count(input="a" * 4000)

    assert 0 < short.input_tokens < long.input_tokens


async def test_conversations_and_their_items(serve: Serve):
    served = await serve(memory_agent())
    conversations = served.openai.conversations
    conversation = await conversations.create(
        metadata={"k": "v"}, items=[{"type": "message", "role": "user", "content": "zero"}]
    )

    added = await conversations.items.create(
        conversation.id, items=[{"type": "message", "role": "user", "content": "one"}]
    )
    dropped = await conversations.items.create(
        conversation.id, items=[{"type": "message", "role": "user", "content": "never"}]
    )
    await conversations.items.delete(dropped.data[0].id, conversation_id=conversation.id)
    response = await served.openai.responses.create(model="m", input="two", conversation=conversation.id)
    listed = [item async for item in conversations.items.list(conversation.id, order="asc", limit=2)]

    assert response.output_text == "zero|one|two"
    assert [item.content[0].text for item in listed] == ["zero", "one", "two", "zero|one|two"]
    item = await conversations.items.retrieve(added.data[0].id, conversation_id=conversation.id)
    assert item.content[0].text == "one"
    with pytest.raises(openai.BadRequestError):
        await conversations.items.delete(added.data[0].id, conversation_id=conversation.id)
    assert (await conversations.update(conversation.id, metadata={"k": "w"})).metadata == {"k": "w"}
    assert (await conversations.retrieve(conversation.id)).metadata == {"k": "w"}
    assert (await conversations.delete(conversation.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await conversations.retrieve(conversation.id)


async def test_the_target_is_the_one_model(serve: Serve):
    served = await serve(Echo(), model="org/my-agent")

    models = [model.id async for model in served.openai.models.list()]

    assert models == ["org/my-agent"]
    assert (await served.openai.models.retrieve("org/my-agent")).object == "model"
    with pytest.raises(openai.NotFoundError):
        await served.openai.models.retrieve("another")


async def test_two_channels_serve_side_by_side_under_one_base_and_under_two():
    channels = [
        ResponsesChannel(model="one"),
        ResponsesChannel("second", "/others", serves_models=False, serves_conversations=False),
        ResponsesChannel("third", "/deep/responses", model="three"),
    ]
    async with InMemoryHost(Echo(), channels) as host:
        answers = [
            await host.post(path, json={"input": "x", "conversation": "c"})
            for path in ("/responses", "/others", "/v1/others", "/deep/responses", "/deep/v1/responses")
        ]
        models = [(await host.get(path)).json()["data"][0]["id"] for path in ("/models", "/deep/models")]
        foreign = await host.get(f"/others/{answers[0].json()['id']}")

    assert [answer.status_code for answer in answers] == [200] * 5
    assert models == ["one", "three"]
    assert foreign.status_code == 404


def _last_response(stream: str) -> dict:
    import json

    data = [frame.split("data: ", 1)[1] for frame in stream.split("\n\n") if "data: {" in frame]
    return json.loads(data[-1])["response"]
