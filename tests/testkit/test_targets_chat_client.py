"""A scripted model under core's own `Agent`: tools run, history is kept, and streams look as a real client's do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest
from agent_framework import (
    Agent,
    AgentResponse,
    AgentResponseUpdate,
    BaseChatClient,
    Message,
    SupportsChatGetResponse,
    tool,
)
from pydantic import BaseModel

from hosting_testkit.targets import ScriptedChatClient, Turn, steps

Mode = Literal["one-shot", "stream"]
both_modes = pytest.mark.parametrize("mode", ["one-shot", "stream"])


def weather(city: str) -> str:
    """Tells the weather."""
    return f"sun in {city}"


def clock() -> str:
    """Tells the time."""
    return "noon"


async def answer(agent: Agent, text: str, mode: Mode = "one-shot", **kwargs: Any) -> AgentResponse[Any]:
    if mode == "one-shot":
        return await agent.run(text, **kwargs)
    opened = agent.run(text, stream=True, **kwargs)
    async for _ in opened:
        pass
    return await opened.get_final_response()


def seen(response: AgentResponse[Any]) -> list[tuple[str, list[str]]]:
    """Role and content types of each message."""
    return [(message.role, [content.type for content in message.contents]) for message in response.messages]


def test_it_is_a_real_client() -> None:
    client = ScriptedChatClient("hi")
    assert isinstance(client, BaseChatClient)
    assert isinstance(client, SupportsChatGetResponse)


@both_modes
@pytest.mark.parametrize("closing_replace", [True, False])
async def test_an_agent_runs_a_tool_with_parameters_and_answers(mode: Mode, closing_replace: bool) -> None:
    client = ScriptedChatClient(
        [steps.ToolCall("weather", {"city": "Oslo"}, split=4), steps.Usage(3, 4)],
        ["It is ", "sunny", steps.Usage(3, 4)],
        closing_replace=closing_replace,
    )
    response = await answer(Agent(client=client, tools=[weather], name="A"), "hi", mode)
    assert seen(response) == [
        ("assistant", ["function_call"]),
        ("tool", ["function_result"]),
        ("assistant", ["text"]),
    ]
    assert response.messages[0].contents[0].parse_arguments() == {"city": "Oslo"}
    assert response.messages[1].contents[0].result == "sun in Oslo"
    assert response.text == "It is sunny"
    assert response.usage_details == {
        "input_token_count": 6,
        "output_token_count": 8,
        "total_token_count": 14,
    }
    assert response.finish_reason == "stop"
    assert client.running == 0


@both_modes
async def test_an_agent_runs_a_tool_without_parameters(mode: Mode) -> None:
    client = ScriptedChatClient([steps.ToolCall("clock")], "It is noon")
    response = await answer(Agent(client=client, tools=[clock]), "hi", mode)
    assert response.messages[1].contents[0].result == "noon"
    assert response.messages[-1].text == "It is noon"


@both_modes
async def test_an_agent_runs_two_tools_of_one_model_call(mode: Mode) -> None:
    both = [
        steps.ToolCall("weather", {"city": "Oslo"}, "c1", split=2),
        steps.ToolCall("clock", call_id="c2", split=2),
    ]
    response = await answer(
        Agent(client=ScriptedChatClient(both, "done"), tools=[weather, clock]), "hi", mode
    )
    assert [content.result for content in response.messages[1].contents] == ["sun in Oslo", "noon"]


async def streamed(client: ScriptedChatClient, **kwargs: Any) -> list[AgentResponseUpdate]:
    return [update async for update in Agent(client=client, **kwargs).run("hi", stream=True)]


async def test_each_text_ends_with_the_whole_of_it_as_a_replacement() -> None:
    client = ScriptedChatClient([steps.Reasoning("h"), steps.Reasoning("m"), "He", "llo", steps.Usage(1, 1)])
    shown = [
        (content.type, content.text, content.merge_mode)
        for update in await streamed(client)
        for content in update.contents
        if content.text is not None
    ]
    assert shown == [
        ("text_reasoning", "h", "append"),
        ("text_reasoning", "m", "append"),
        ("text_reasoning", "hm", "replace"),
        ("text", "He", "append"),
        ("text", "llo", "append"),
        ("text", "Hello", "replace"),
    ]


async def test_the_closing_replacement_adds_up_to_twice_the_text_but_folds_to_it_once() -> None:
    opened = Agent(client=ScriptedChatClient(["He", "llo"])).run("hi", stream=True)
    joined = "".join([update.text async for update in opened])
    assert joined == "HelloHello"
    assert (await opened.get_final_response()).text == "Hello"
    assert (await Agent(client=ScriptedChatClient(["He", "llo"])).run("hi")).text == "Hello"


async def test_a_replacement_in_the_script_is_what_the_closing_one_repeats() -> None:
    updates = await streamed(ScriptedChatClient(["a", steps.Replace("b"), "c"]))
    assert [update.text for update in updates if update.contents] == ["a", "b", "c", "bc"]
    assert AgentResponse[Any].from_updates(updates).text == "bc"


async def test_a_refusal_and_a_text_are_closed_apart() -> None:
    updates = await streamed(ScriptedChatClient(["a", steps.Refusal("no")]))
    assert [update.text for update in updates if update.contents] == ["a", "a", "no", "no"]


async def test_the_arguments_of_a_call_end_with_the_whole_of_them() -> None:
    client = ScriptedChatClient([steps.ToolCall("weather", {"city": "Oslo"}, split=2)], "done")
    calls = [
        (content.arguments, content.merge_mode)
        for update in await streamed(client, tools=[weather])
        for content in update.contents
        if content.type == "function_call"
    ]
    assert calls == [('{"city":', "append"), (' "Oslo"}', "append"), ('{"city": "Oslo"}', "replace")]


async def test_message_ids_are_missing_as_from_openai_or_repeat_between_model_calls() -> None:
    turns: list[Turn] = [[steps.ToolCall("clock")], ["a"]]
    none = await streamed(ScriptedChatClient(*turns), tools=[clock])
    assert {update.message_id for update in none} == {None}
    same = await streamed(ScriptedChatClient(*turns, message_id="m"), tools=[clock])
    assert {update.message_id for update in same if update.role == "assistant"} == {"m"}


async def test_a_turn_may_hold_several_messages_if_they_have_ids() -> None:
    turn = ["a", steps.NextMessage(), "b"]
    response = await Agent(client=ScriptedChatClient(turn, message_id="m")).run("hi")
    assert [message.text for message in response.messages] == ["a", "b"]
    with pytest.raises(ValueError, match="message_id="):
        await Agent(client=ScriptedChatClient(turn)).run("hi")


@both_modes
async def test_the_turns_begin_anew_with_every_user_message_and_for_every_session(mode: Mode) -> None:
    client = ScriptedChatClient([steps.ToolCall("clock")], "noon")
    agent = Agent(client=client, tools=[clock])
    a, b = agent.create_session(), agent.create_session()
    both = await asyncio.gather(*(answer(agent, "1", mode, session=session) for session in (a, b)))
    again = await answer(agent, "2", mode, session=a)
    assert [len(response.messages) for response in (*both, again)] == [3, 3, 3]
    assert len(client.calls) == 6
    assert [message.text for message in client.calls[-1].messages if message.role == "user"] == ["1", "2"]


@both_modes
async def test_an_approval_is_resumed_with_the_next_turn(mode: Mode) -> None:
    ran: list[str] = []

    @tool(approval_mode="always_require")
    def delete(file: str) -> str:
        """Deletes a file."""
        ran.append(file)
        return "deleted"

    client = ScriptedChatClient([steps.ToolCall("delete", {"file": "x"})], "It is gone")
    agent = Agent(client=client, tools=[delete])
    session = agent.create_session()
    (request,) = (await answer(agent, "delete x", mode, session=session)).user_input_requests
    assert ran == []
    approval = Message("user", [request.to_function_approval_response(True)])
    response = await agent.run([approval], session=session)
    assert (ran, response.messages[-1].text) == (["x"], "It is gone")


@both_modes
async def test_a_function_can_be_the_script(mode: Mode) -> None:
    def script(messages: Sequence[Message], options: Mapping[str, Any]) -> Turn | str:
        return ["You said ", messages[-1].text, f" at {options['temperature']}"]

    agent = Agent(client=ScriptedChatClient(script=script))
    assert (await answer(agent, "hi", mode, options={"temperature": 0.5})).text == "You said hi at 0.5"


class Weather(BaseModel):
    sky: str


@both_modes
async def test_a_structured_value_is_parsed_by_core(mode: Mode) -> None:
    agent = Agent(client=ScriptedChatClient([steps.Value(Weather(sky="blue"))]))
    response = await answer(agent, "hi", mode, options={"response_format": Weather})
    assert response.value == Weather(sky="blue")


@both_modes
async def test_a_model_can_fail_after_it_began(mode: Mode) -> None:
    client = ScriptedChatClient(["a", steps.Fail(ConnectionError("reset"))])
    with pytest.raises(ConnectionError, match="reset"):
        await answer(Agent(client=client), "hi", mode)
    assert client.running == 0


async def test_a_closed_agent_stream_ends_the_model_call() -> None:
    client = ScriptedChatClient(["a", steps.Stop("half"), "b"])
    opened = Agent(client=client).run("hi", stream=True)
    await anext(opened)
    assert client.running == 1
    await opened.close(asyncio.CancelledError())
    assert client.running == 0


async def test_the_last_calls_are_kept_and_no_more() -> None:
    client = ScriptedChatClient("hi", keep=2)
    agent = Agent(client=client, instructions="be brief")
    for text in "abc":
        await agent.run(text)
    assert [call.messages[-1].text for call in client.calls] == ["b", "c"]
    assert client.calls[0].stream is False
    assert client.calls[0].options["instructions"] == "be brief"


@pytest.mark.parametrize("kwargs", [{}, {"script": lambda messages, options: "x"}])
def test_turns_and_a_script_exclude_each_other(kwargs: dict[str, Any]) -> None:
    turns = ["x"] if kwargs else []
    with pytest.raises(ValueError, match="either turns or script="):
        ScriptedChatClient(*turns, **kwargs)
