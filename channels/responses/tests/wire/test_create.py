"""Creating responses, as the official client sees it (channels 1.1-1.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import Agent, tool
from pydantic import BaseModel

from channels.responses.tests.oracles import check_response, check_stream
from channels.responses.tests.wire.conftest import Serve
from hosting_testkit.targets import Echo, Failing, Recorder, Scripted, ScriptedChatClient, steps


@tool(approval_mode="never_require")
def weather(city: str) -> str:
    """Tells the weather."""
    return f"Rain in {city}"


def weather_agent() -> Agent:
    client = ScriptedChatClient([steps.ToolCall("weather", {"city": "Kyiv"}), steps.Usage(7, 3)], "It rains.")
    return Agent(client=client, tools=[weather], name="forecaster")


async def test_a_text_is_answered(serve: Serve):
    served = await serve(Echo())

    response = await served.openai.responses.create(model="m", input="hello")

    assert (response.status, response.output_text, response.model) == ("completed", "hello", "m")
    check_response(response.model_dump(mode="json", exclude_unset=True))


@pytest.mark.parametrize("path", ["/responses", "/v1/responses"])
async def test_the_bare_and_the_v1_address_answer(serve: Serve, path: str):
    served = await serve(Echo())

    assert (await served.post(path, json={"input": "hi"})).json()["status"] == "completed"


async def test_a_stream_is_valid_and_says_the_same(serve: Serve):
    served = await serve(Scripted("Hel", "lo", steps.Usage(3, 2)))

    events = [
        event.model_dump(mode="json", exclude_unset=True)
        async for event in await served.openai.responses.create(model="m", input="x", stream=True)
    ]

    final = check_stream(events)
    assert final["usage"]["total_tokens"] == 5
    one_shot = await served.openai.responses.create(model="m", input="x")
    assert one_shot.output_text == final["output"][0]["content"][0]["text"] == "Hello"
    assert one_shot.usage
    assert one_shot.usage.total_tokens == 5


async def test_the_stream_helper_of_the_client_accumulates(serve: Serve):
    served = await serve(weather_agent())

    async with served.openai.responses.stream(model="m", input="weather?") as stream:
        final = await stream.get_final_response()

    assert [item.type for item in final.output] == ["function_call", "function_call_output", "message"]
    assert final.output_text == "It rains."


async def test_an_event_stream_ends_with_done_and_names_its_events(serve: Serve):
    served = await serve(Echo())

    raw = (await served.post(json={"input": "hi", "stream": True})).text

    frames = raw.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    assert all(frame.startswith("event: response.") for frame in frames[:-2])


async def test_tools_of_the_target_are_shown_with_their_results(serve: Serve):
    served = await serve(weather_agent())

    response = await served.openai.responses.create(model="m", input="weather?")

    assert [item.type for item in response.output] == ["function_call", "function_call_output", "message"]
    check_response(response.model_dump(mode="json", exclude_unset=True))


async def test_a_tool_of_the_caller_ends_the_turn_and_its_output_goes_on(serve: Serve):
    served = await serve(
        Agent(client=ScriptedChatClient([steps.ToolCall("locate", {"who": "me"})], "You are in Kyiv."))
    )
    locate = {
        "type": "function",
        "name": "locate",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }

    first = await served.openai.responses.create(model="m", input="where?", tools=[locate])
    call = first.output[0]
    assert (first.status, call.type, call.name) == ("completed", "function_call", "locate")
    second = await served.openai.responses.create(
        model="m",
        previous_response_id=first.id,
        tools=[locate],
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "Kyiv"}],
    )

    assert second.output_text == "You are in Kyiv."


async def test_an_approval_is_asked_for_and_answered_once(serve: Serve):
    done: list[str] = []

    @tool(approval_mode="always_require")
    def wipe(disk: str) -> str:
        """Wipes a disk."""
        done.append(disk)
        return "wiped"

    agent = Agent(client=ScriptedChatClient([steps.ToolCall("wipe", {"disk": "c"})], "Done."), tools=[wipe])
    served = await serve(agent)
    first = await served.openai.responses.create(model="m", input="wipe it")
    request = next(item for item in first.output if item.type == "mcp_approval_request")
    answer = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": True}

    second = await served.openai.responses.create(model="m", previous_response_id=first.id, input=[answer])
    again = await served.post(json={"previous_response_id": first.id, "input": [answer]})

    assert (second.output_text, done) == ("Done.", ["c"])
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_answered")


async def test_structured_output_is_parsed_by_the_client(serve: Serve):
    class City(BaseModel):
        name: str

    recorder = Recorder(Scripted(steps.Value({"name": "Kyiv"})))
    served = await serve(recorder)

    response = await served.openai.responses.parse(model="m", input="city?", text_format=City)

    assert response.output_parsed == City(name="Kyiv")
    assert recorder.runs[0].options["response_format"]["json_schema"]["name"] == "City"


async def test_images_and_files_reach_the_target(serve: Serve):
    recorder = Recorder(Echo())
    served = await serve(recorder)

    await served.openai.responses.create(
        model="m",
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "what is this?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,cG5n", "detail": "auto"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "cGRm"},
                ],
            }
        ],
    )

    contents = recorder.runs[0].messages[0].contents
    assert [(content.type, content.media_type) for content in contents[1:]] == [
        ("data", "image/png"),
        ("data", "application/pdf"),
    ]


async def test_options_reach_the_target_by_their_core_names_and_unknown_keys_do_not(serve: Serve):
    seen = []
    recorder = Recorder(Echo())
    served = await serve(recorder, run_hook=lambda request: (seen.append(request), request)[1])

    await served.openai.responses.create(
        model="m",
        input="x",
        temperature=0.5,
        max_output_tokens=9,
        parallel_tool_calls=False,
        metadata={"a": "b"},
        extra_body={"strange": 1, "hosting": {"tier": "gold"}, "conversation_id": "c"},
    )

    options = recorder.runs[0].options
    assert dict(options) == {
        "temperature": 0.5,
        "max_tokens": 9,
        "allow_multiple_tool_calls": False,
        "metadata": {"a": "b"},
    }
    assert seen[0].attributes["hosting"] == {"tier": "gold"}
    assert seen[0].attributes["body"] == {"strange": 1, "conversation_id": "c"}


async def test_instructions_stand_in_front_of_the_input_and_are_marked_as_passing(serve: Serve):
    recorder = Recorder(Echo())
    served = await serve(recorder)

    response = await served.openai.responses.create(model="m", input="x", instructions="Be brief.")

    first, *_ = recorder.runs[0].messages
    assert (first.role, first.text, first.additional_properties["hosting"]) == (
        "system",
        "Be brief.",
        {"transient": True},
    )
    assert response.instructions == "Be brief."


async def test_an_answer_cut_short_is_incomplete_and_says_why(serve: Serve):
    served = await serve(Scripted("half", steps.Finish("length")))

    response = await served.openai.responses.create(model="m", input="x")

    assert response.status == "incomplete"
    assert response.incomplete_details
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_a_failure_before_the_first_update_is_a_status_and_leaves_no_response(serve: Serve):
    served = await serve(Failing())

    for stream in (False, True):
        answer = await served.post(json={"input": "x", "stream": stream})
        error = answer.json()["error"]
        assert (answer.status_code, error["type"], error["code"]) == (500, "server_error", "internal_error")
        assert "err_" in error["message"]


async def test_a_failure_in_the_middle_is_told_by_the_last_event_and_can_be_retrieved(serve: Serve):
    served = await serve(Scripted("half", steps.Stop("middle"), steps.Fail(RuntimeError("secret"))))
    target = served.host._target
    events = []

    async for event in await served.openai.responses.create(model="m", input="x", stream=True):
        events.append(event.model_dump(mode="json", exclude_unset=True))
        target.gates.release("middle")

    final = check_stream(events)
    assert events[-1]["type"] == "response.failed"
    assert final["error"]["code"] == "server_error"
    assert "secret" not in str(final)
    stored = await served.openai.responses.retrieve(final["id"])
    assert (stored.status, stored.output[0].content[0].text) == ("failed", "half")


def last_event(answer: Any) -> Any:
    """The terminal event of a stream that was read to its end."""
    *_, last, done = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert done == "data: [DONE]"
    return json.loads(last.removeprefix("data: "))


async def test_the_same_idempotency_key_gets_the_same_answer(serve: Serve):
    recorder = Recorder(Echo())
    served = await serve(recorder)
    headers = {"Idempotency-Key": "once"}

    first = await served.post(json={"input": "x"}, headers=headers)
    second = await served.post(json={"input": "x"}, headers=headers)
    streamed = await served.post(json={"input": "x", "stream": True}, headers=headers)

    unstored = await served.post(json={"input": "x", "store": False}, headers=headers)
    after = await served.post(json={"input": "y", "previous_response_id": first.json()["id"]})

    assert first.json() == second.json() == unstored.json()
    assert after.status_code == 200
    assert last_event(streamed)["response"] == first.json()
    assert len(recorder.runs) == 2


@pytest.mark.parametrize("store", [True, False])
async def test_the_same_idempotency_key_gets_the_same_stream(serve: Serve, store: bool):
    target = [steps.Reasoning("hm"), "one ", "two", steps.ToolCall("t", {"a": 1}), "three"]
    recorder = Recorder(Scripted(*target))
    served = await serve(recorder)
    asked = {"input": "x", "stream": True, "store": store}
    headers = {"Idempotency-Key": "once"}

    first, second = [last_event(await served.post(json=asked, headers=headers)) for _ in range(2)]

    ids = [item["id"] for item in first["response"]["output"]]
    assert second["response"]["id"] == first["response"]["id"]
    assert [item["id"] for item in second["response"]["output"]] == ids
    assert not store or second["response"] == first["response"]
    assert len(recorder.runs) == 1
    if store:
        kept = await served.get(f"/responses/{first['response']['id']}")
        assert kept.json() == first["response"]
