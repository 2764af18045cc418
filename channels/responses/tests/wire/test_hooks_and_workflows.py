"""Hooks and workflow targets through this channel (contract 5, 8.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from agent_framework import AgentResponse, AgentResponseUpdate, Content, InMemoryHistoryProvider, Message

from channels.responses.tests.oracles import check_response, check_stream
from channels.responses.tests.wire.conftest import Serve, Served
from hosting import AgentFrameworkHost, ChannelConfigurationError, HostedRunResult
from hosting.serialization import register_type
from hosting_responses import ResponsesChannel
from hosting_testkit.targets import Question, Scripted, workflow_multi, workflow_pending, workflow_sequential


async def streamed(served: Served, **body: Any) -> list[dict[str, Any]]:
    events = await served.openai.responses.create(model="m", stream=True, **body)
    return [event.model_dump(mode="json", exclude_unset=True) async for event in events]


def said(response: Mapping[str, Any]) -> str:
    return "|".join(item["content"][0]["text"] for item in response["output"] if item["type"] == "message")


async def test_with_a_response_hook_the_stream_and_the_answer_say_what_the_hook_says(serve: Serve):
    def shout(result: HostedRunResult[Any], **_: Any) -> HostedRunResult[Any]:
        return result.replace(result=AgentResponse(messages=[Message("assistant", [result.text.upper()])]))

    served = await serve(Scripted("a", "b"), response_hook=shout)

    final = check_stream(await streamed(served, input="x"))
    one_shot = await served.openai.responses.create(model="m", input="x")

    assert said(final) == one_shot.output_text == "AB"
    assert said((await served.get(f"/responses/{final['id']}")).json()) == "AB"


async def test_with_a_stream_hook_the_last_event_and_the_record_hold_what_it_let_through(serve: Serve):
    def only_a(update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        return update if update.text == "a" else None

    served = await serve(Scripted("a", "b", "a"), stream_update_hook=only_a)

    final = check_stream(await streamed(served, input="x"))
    one_shot = await served.openai.responses.create(model="m", input="x")

    assert said(final) == said((await served.get(f"/responses/{final['id']}")).json()) == "aa"
    assert one_shot.output_text == "aba"


async def test_a_request_of_a_workflow_is_a_function_call_and_its_output_answers_it(serve: Serve):
    register_type(Question)
    served = await serve(workflow_pending)

    first = await served.openai.responses.create(model="m", input="go")
    call = next(item for item in first.output if item.type == "function_call")
    check_response(first.model_dump(mode="json", exclude_unset=True))
    answer = [{"type": "function_call_output", "call_id": call.call_id, "output": "yes"}]
    second = await served.openai.responses.create(model="m", previous_response_id=first.id, input=answer)

    assert first.status == second.status == "completed"
    assert [item.type for item in second.output] == ["message"]


async def test_all_outputs_of_a_workflow_are_shown(serve: Serve):
    served = await serve(workflow_multi)

    final = check_stream(await streamed(served, input="x"))
    one_shot = await served.openai.responses.create(model="m", input="x")

    assert said(final) == said(one_shot.model_dump(mode="json"))
    assert len(final["output"]) > 1


async def test_an_image_of_the_target_is_shown(serve: Serve):
    class Painter(Scripted):
        async def answer(self, run: Any) -> Any:
            yield run.update(Content.from_data(b"png", "image/png"))

    served = await serve(Painter())

    response = await served.openai.responses.create(model="m", input="x")

    assert (response.output[0].type, response.output[0].result) == ("image_generation_call", "cG5n")


async def test_a_workflow_that_was_made_an_agent_serves_sessions_side_by_side(serve: Serve):
    served = await serve(workflow_sequential().as_agent())

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(served.post(json={"input": text})) for text in ("one", "two", "three")]

    answers = [said(task.result().json()) for task in asked]
    assert answers == [f"first: {text}|second: {text}" for text in ("one", "two", "three")]


def test_a_workflow_agent_with_context_providers_is_refused():
    agent = workflow_sequential().as_agent(context_providers=[InMemoryHistoryProvider()])

    with pytest.raises(ChannelConfigurationError, match="context providers"):
        AgentFrameworkHost(agent, channels=[ResponsesChannel()])
