"""Outputs become one answer, the same streamed and in one piece (contract 7.2, 8.3)."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Never

import pytest
from agent_framework import (
    Agent,
    AgentExecutor,
    AgentExecutorRequest,
    AgentResponse,
    AgentResponseUpdate,
    Content,
    Executor,
    Message,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    WorkflowEvent,
    handler,
    tool,
)

from hosting.serialization import UnregisteredType, from_json, register_type, to_json
from hosting.targets.workflow.outputs import OutputFold
from hosting_testkit.ids import SequentialIds
from hosting_testkit.targets import (
    Echo,
    Scripted,
    ScriptedChatClient,
    steps,
    workflow_concurrent,
    workflow_echo,
    workflow_multi,
    workflow_sequential,
)
from tests.targets.workflow_session import Session, call, items, target


@register_type
@dataclasses.dataclass
class Price:
    amount: int


@dataclasses.dataclass
class Foreign:
    x: int = 1


OUTPUTS: dict[str, Any] = {
    "none": None,
    "empty": "",
    "number": 5,
    "typed": [Price(1)],
    "content": Content.from_text("content"),
    "message": Message("assistant", ["message"], author_name="x"),
    "conversation": [
        Message("user", ["question"]),
        Message("assistant", ["one"]),
        Message("assistant", ["two"]),
    ],
    "response": AgentResponse(messages=[Message("assistant", ["r1"]), Message("assistant", ["r2"])]),
    "no messages": AgentResponse(),
    "pieces": AgentResponseUpdate(role="assistant", contents=[Content.from_text("piece")]),
    "foreign": Foreign(),
}


class Yields(Executor):
    @handler
    async def give(self, text: str, ctx: WorkflowContext[Never, Any]) -> None:
        for name in text.split(","):
            await ctx.yield_output(OUTPUTS.get(name, name))


def yielding() -> Workflow:
    return WorkflowBuilder(name="yielding", start_executor=Yields(id="yields")).build()


@tool
def weather(city: str) -> str:
    return f"rain in {city}"


def agent(name: str, *turns: Any, **options: Any) -> Agent:
    return Agent(client=ScriptedChatClient(*turns, **options), name=name, tools=[weather])


def with_tools() -> Workflow:
    calling = ["Let me see.", steps.ToolCall("weather", {"city": "Oslo"}, split=3), steps.Usage(1, 2)]
    first = agent("first", calling, ["It ", "rains.", steps.Usage(3, 4)], message_id="m")
    second = agent("second", ["So ", "stay in.", steps.Usage(5, 6)], message_id="m")
    return workflow_sequential(first, second)


def same_author() -> Workflow:
    """Two outputs that core's fold would join: one author, no message ids."""
    first, second = agent("same", ["one"]), agent("same", ["two"])
    second.id = "other"
    return workflow_sequential(AgentExecutor(first, id="a"), AgentExecutor(second, id="b"))  # type: ignore[arg-type]


def two_messages() -> Workflow:
    """An agent that says two messages in one run."""
    return workflow_sequential(Scripted("a", "b", steps.NextMessage(), "c", name="one"), Echo(name="two"))


SOURCES: list[tuple[Callable[[], Workflow], str]] = [
    (workflow_echo, "hi"),
    (workflow_multi, "hi"),
    (workflow_sequential, "hi"),
    (workflow_concurrent, "hi"),
    (with_tools, "hi"),
    (same_author, "hi"),
    (two_messages, "hi"),
    (yielding, "a,b,number,typed,content,message,conversation,response,no messages,none,empty,c"),
    (yielding, "pieces,pieces,a,pieces"),
    (yielding, "none"),
]


@pytest.mark.parametrize(("source", "value"), SOURCES, ids=[f"{s.__name__}-{v[:12]}" for s, v in SOURCES])
async def test_the_stream_folds_to_the_one_shot_answer(source, value):
    served = target(source)
    whole = (await served.run(call(value))).result
    stream = served.stream(call(value))

    updates = [update async for update in stream]

    folded = AgentResponse.from_updates(updates)
    final = (await stream.final()).result
    assert items(folded) == items(whole.response) == items(final.response)
    assert folded.text == whole.text == final.text
    assert (folded.usage_details or {}) == (whole.response.usage_details or {})
    assert folded.usage_details == final.response.usage_details
    assert to_text_of(whole.outputs) == to_text_of(final.outputs)
    assert all(update.message_id for update in updates)


def to_text_of(outputs: Any) -> list[Any]:
    return [[m.text for m in o.messages] if isinstance(o, AgentResponse) else to_json(o) for o in outputs]


async def test_all_outputs_are_given_in_order():
    result = (await target(workflow_multi).run(call("x"))).result

    assert result.outputs == ("first x", "second x", "third x")
    assert [message.text for message in result.messages] == ["first x", "second x", "third x"]
    assert result.text == "first xsecond xthird x"


async def test_values_are_rendered_by_what_they_are():
    result = (await target(yielding).run(call("number,typed,conversation,response,none,empty"))).result

    assert [message.text for message in result.messages] == ["5", '[{"amount": 1}]', "one", "two", "r1", "r2"]
    assert result.outputs[1] == [Price(1)]
    assert len(result.outputs) == 6


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_an_output_of_an_unregistered_type_is_a_clear_error(stream):
    served = target(yielding)

    with pytest.raises(UnregisteredType, match="Foreign"):
        await Session(served).turn("foreign", stream=stream)


async def test_the_text_of_a_model_that_repeats_itself_at_the_end_is_not_doubled():
    stream = target(with_tools).stream(call("?"))

    updates = [update async for update in stream]

    assert any(content.merge_mode == "replace" for update in updates for content in update.contents)
    assert items(AgentResponse.from_updates(updates)) == [
        [("text", "Let me see."), ("function_call", "weather")],
        [("function_result", "rain in Oslo")],
        [("text", "It rains.")],
        [("text", "So stay in.")],
    ]


async def test_usage_is_added_up_over_agents_that_count_by_replacing():
    result = (await target(with_tools).run(call("?"))).result

    assert result.response.usage_details["input_token_count"] == 1 + 3 + 5
    assert result.response.usage_details["output_token_count"] == 2 + 4 + 6


async def test_only_outputs_are_seen():
    def build():
        hidden, shown = Echo("hidden ", name="hidden"), Echo("shown ", name="shown")
        builder = WorkflowBuilder(name="w", start_executor=hidden, output_from=[shown])
        return builder.add_edge(hidden, shown).build()

    stream = target(build).stream(call("x"))
    updates = [update async for update in stream]

    assert {update.author_name for update in updates} == {"shown"}
    assert len((await stream.final()).result.outputs) == 1


class Both(Executor):
    @handler
    async def start(self, text: str, ctx: WorkflowContext[AgentExecutorRequest]) -> None:
        await ctx.send_message(AgentExecutorRequest([Message("user", [text])]))


async def test_of_agents_that_speak_at_once_one_is_heard_after_the_other():
    slow, quick = Scripted("s1", steps.Stop("x"), "s2", name="slow"), Scripted("q1", "q2", name="quick")

    def build():
        start = Both(id="both")
        return WorkflowBuilder(name="w", start_executor=start).add_fan_out_edges(start, [slow, quick]).build()

    stream = target(build).stream(call("x"))
    updates = aiter(stream)
    heard = [(await anext(updates)).text]
    await slow.gates.reached("x")
    slow.gates.release("x")
    heard += [update.text async for update in updates]

    assert "".join(heard) in ("s1s2q1q2", "q1q2s1s2")
    final = (await stream.final()).result
    assert sorted(message.text for message in final.messages) == ["q1q2", "s1s2"]


def test_what_an_executor_says_after_it_completed_is_not_lost():
    fold = OutputFold(SequentialIds())
    late = AgentResponseUpdate(contents=[Content.from_text("late")])
    assert [update.text for update in fold.take(WorkflowEvent("output", late, executor_id="x"))] == ["late"]

    assert list(fold.close([])) == []

    assert [output.text for output in fold.result().outputs] == ["late"]


async def test_a_result_is_stored_and_read_back():
    result = (await target(yielding).run(call("a,typed,response"))).result

    again = from_json(json.loads(json.dumps(to_json(result))))

    assert again.outputs[:2] == ["a", [Price(1)]]
    assert again.text == result.text
    assert [update.text for update in again.to_updates()] == ["a", '[{"amount": 1}]', "r1", "r2"]
