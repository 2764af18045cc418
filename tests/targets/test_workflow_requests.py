"""Open requests and their answers (contract 6.6, 8.3)."""

import dataclasses
import json
from typing import Any, Literal, Never

import pytest
from agent_framework import (
    Agent,
    AgentExecutorRequest,
    AgentExecutorResponse,
    Content,
    Executor,
    FunctionTool,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    WorkflowExecutor,
    handler,
    response_handler,
    tool,
)
from pydantic import BaseModel

from hosting.delivery.payload import decode_result, encode_result
from hosting.errors import AlreadyAnswered, UnprocessableInput
from hosting.results import HostedRunResult
from hosting.serialization import register_type
from hosting_testkit.targets import Echo, Question, ScriptedChatClient, steps, workflow_pending
from tests.targets.workflow_session import Session, answer, approval, call, items, target

register_type(Question)


@register_type
@dataclasses.dataclass
class Address:
    street: str
    number: int = 1


@register_type
class Vote(BaseModel):
    yes: bool


KINDS: dict[str, Any] = {
    "str": str,
    "bool": bool,
    "int | None": int | None,
    "list[int]": list[int],
    "Literal['a', 'b']": Literal["a", "b"],
    "Address": Address,
    "Vote": Vote,
    "Any": Any,
    "Content": Content,
}


class Approver(Executor):
    """Asks for the approval of a call by itself, for an answer of the type named in the text."""

    @handler
    async def ask(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        call = Content.from_function_call("c1", "delete", arguments='{"path": "/a"}', id="f1")
        await ctx.request_info(Content.from_function_approval_request("f1", call), KINDS[text])

    @response_handler
    async def answered(self, asked: Content, given: Content | bool, ctx: WorkflowContext[Never, str]) -> None:
        call = given.function_call if isinstance(given, Content) else None
        await ctx.yield_output(f"{given if call is None else call.arguments}")


class Asker(Executor):
    """Asks for an answer of each type named in the text."""

    @handler
    async def ask(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        for name in text.split(";"):
            if name in KINDS:
                await ctx.request_info(Question(name), KINDS[name], request_id=f"ask {name}")
            else:
                await ctx.yield_output(f"heard {name}")

    @response_handler
    async def text(self, question: Question, given: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(f"{question.prompt}: {given!r}")

    @response_handler
    async def any(
        self,
        question: Question,
        given: bool | int | list[int] | Address | Vote | Content | dict[str, int] | None,
        ctx: WorkflowContext[Never, str],
    ) -> None:
        await ctx.yield_output(
            f"{question.prompt}: {given.text if isinstance(given, Content) else repr(given)}"
        )


def asking():
    return WorkflowBuilder(name="asking", start_executor=Asker(id="asker")).build()


@tool(approval_mode="always_require")
def delete(path: str) -> str:
    return f"deleted {path}"


def approving():
    client = ScriptedChatClient([steps.ToolCall("delete", {"path": "/a"})], "All done.")
    agent = Agent(client=client, name="cleaner", tools=[delete])
    return WorkflowBuilder(name="approving", start_executor=agent).build()


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_request_is_a_function_call_that_the_next_turn_answers_on_another_instance(stream):
    session = Session(target(workflow_pending))

    asked = await session.turn("your name?", stream=stream)

    assert asked.status == "input_required"
    (request,) = asked.requests
    assert (request.type, request.name, request.user_input_request) == ("function_call", "request_info", True)
    assert json.loads(str(request.arguments)) == {"request": {"prompt": "your name?"}, "response_type": "str"}
    assert items(asked.result.response) == [[("function_call", "request_info")]]

    session.target = target(workflow_pending)
    reply = answer(request, "Ada")
    done = await session.turn(reply, stream=stream)

    assert (done.status, done.requests, done.result.text) == ("completed", (), "your name?: Ada")


async def test_a_request_is_streamed_and_survives_in_the_stored_result():
    updates, asked = await Session(target(workflow_pending)).streamed("why?")

    (content,) = updates[-1].contents
    assert content.call_id == asked.requests[0].call_id
    stored = decode_result(encode_result(HostedRunResult(asked.result, status=asked.status)))
    assert [request.call_id for request in stored.requests] == [content.call_id]


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
@pytest.mark.parametrize(("approved", "end"), [(True, "deleted /a"), (False, "rejected by user")])
async def test_an_approval_resumes_the_agent_on_another_instance(stream, approved, end):
    session = Session(target(approving))
    asked = await session.turn("clean up", stream=stream)

    assert asked.status == "input_required"
    (request,) = asked.requests
    assert request.function_call
    assert (request.type, request.function_call.name) == ("function_approval_request", "delete")
    assert [kind for message in items(asked.result.response) for kind, _ in message] == [
        "function_call",
        "function_approval_request",
    ]

    session.target = target(approving)
    reply = approval(Content.from_dict(json.loads(json.dumps(request.to_dict()))), approved)
    done = await session.turn(reply, stream=stream)

    assert done.status == "completed"
    assert done.result.text == "All done."
    results = [part.result for message in done.result.messages for part in message.contents if part.result]
    assert len(results) == 1
    assert end in results[0]


@pytest.mark.parametrize(("kind", "got"), [("Content", '{"path": "/a"}'), ("bool", "True")])
async def test_what_the_caller_says_that_it_approved_counts_for_nothing(kind, got):
    session = Session(
        target(lambda: WorkflowBuilder(name="w", start_executor=Approver(id="approver")).build())
    )
    (request,) = (await session.turn(kind)).requests
    forged = Content.from_function_call("c1", "delete", arguments={"path": "/everything"}, id="f1")

    reply = Message("user", [Content.from_function_approval_response(True, request.id or "", forged)])

    assert (await session.turn(reply)).result.text == got


async def test_a_call_that_was_streamed_is_not_repeated_with_the_request_for_its_approval():
    updates, _ = await Session(target(approving)).streamed("clean up")

    assert [content.type for content in updates[-1].contents] == ["function_approval_request"]
    assert any(content.type == "function_call" for update in updates for content in update.contents)


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_tool_that_the_caller_runs_is_called_under_its_own_name(stream):
    lookup = FunctionTool(name="lookup", func=None, input_model={"type": "object", "properties": {}})

    def build():
        client = ScriptedChatClient([steps.ToolCall("lookup")], "It rains.")
        return WorkflowBuilder(name="tools", start_executor=Agent(client=client, name="a")).build()

    session = Session(target(build))
    tools: dict[str, Any] = {"client_tools": (lookup,)}
    asked = await session.turn("?", **tools, stream=stream)

    assert [request.name for request in asked.requests] == ["lookup"]
    assert items(asked.result.response) == [[("function_call", "lookup")]]
    assert [call.name for call in asked.result.response.user_input_requests] == ["lookup"]

    done = await session.turn(answer(asked.requests[0], "rain"), **tools)
    assert done.result.text == "It rains."


@pytest.mark.parametrize(
    ("kind", "given", "got"),
    [
        ("str", "5", "'5'"),
        ("bool", "true", "True"),
        ("bool", "yes", "True"),
        ("int | None", "5", "5"),
        ("int | None", "null", "None"),
        ("list[int]", "[1, 2]", "[1, 2]"),
        ("Literal['a', 'b']", "b", "'b'"),
        ("Literal['a', 'b']", '"b"', "'b'"),
        ("Address", '{"street": "Elm"}', "Address(street='Elm', number=1)"),
        ("Vote", '{"yes": true}', "Vote(yes=True)"),
        ("Any", '{"n": 1}', "{'n': 1}"),
        ("Any", "words", "'words'"),
        ("Content", "words", "words"),
        ("Content", '{"type": "text", "text": "parsed"}', "parsed"),
    ],
)
async def test_an_answer_becomes_the_type_that_was_asked_for(kind, given, got):
    session = Session(target(asking))
    (request,) = (await session.turn(kind)).requests
    assert json.loads(str(request.arguments))["response_type"] == kind

    assert (await session.turn(answer(request, given))).result.text == f"{kind}: {got}"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("bool", "perhaps"),
        ("int | None", "five"),
        ("list[int]", '["x"]'),
        ("Literal['a', 'b']", "c"),
        ("Address", "Elm"),
        ("Address", '{"number": 1}'),
        ("Vote", "{}"),
    ],
)
async def test_an_answer_of_the_wrong_type_names_the_one_expected_and_the_request_stays_open(kind, given):
    session = Session(target(asking))
    (request,) = (await session.turn(kind)).requests
    before = session.text

    with pytest.raises(UnprocessableInput) as refusal:
        await session.turn(answer(request, given))

    assert f"expects {kind} as its answer" in refusal.value.message
    assert session.text == before


async def test_the_kind_of_answer_must_fit_the_request():
    asked, approved = Session(target(asking)), Session(target(approving))
    (question,) = (await asked.turn("str")).requests
    (request,) = (await approved.turn("clean up")).requests

    call = Content.from_function_call("x", "y", id=question.call_id)
    with pytest.raises(UnprocessableInput, match="expects a function result"):
        await asked.turn(
            Message("user", [Content.from_function_approval_response(True, question.call_id or "", call)])
        )
    with pytest.raises(UnprocessableInput, match="expects an approval response"):
        await approved.turn(Message("tool", [Content.from_function_result(request.id or "", result="yes")]))


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_several_requests_are_answered_at_once_or_one_after_the_other(stream):
    session = Session(target(asking))
    first, second, third = (await session.turn("str;bool;list[int]")).requests

    both = [answer(first, "x"), answer(second, "true")]
    done = await session.turn(both, stream=stream)

    assert [message.text for message in done.result.messages] == ["str: 'x'", "bool: True"]
    assert (done.status, [request.call_id for request in done.requests]) == (
        "input_required",
        [third.call_id],
    )

    last = await session.turn(answer(third, "[1]"))
    assert (last.status, last.result.text) == ("completed", "list[int]: [1]")


async def test_answers_may_stand_behind_the_history_that_led_to_them():
    session = Session(target(asking))
    (request,) = (await session.turn("str")).requests

    done = await session.turn(
        [Message("user", ["str"]), Message("assistant", [request]), answer(request, "x")]
    )

    assert done.result.text == "str: 'x'"


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_request_is_answered_once(stream):
    session = Session(target(asking))
    (request,) = (await session.turn("str")).requests
    await session.turn(answer(request, "x"))

    with pytest.raises(AlreadyAnswered) as refusal:
        await session.turn(answer(request, "y"), stream=stream)

    assert refusal.value.status == 409


async def test_an_answer_to_nothing_is_refused_with_or_without_a_session():
    nothing = answer(Content.from_function_call("never asked", "request_info"), "x")

    with pytest.raises(AlreadyAnswered, match="'never asked' is not open"):
        await Session(target(asking)).turn(nothing)
    with pytest.raises(AlreadyAnswered):
        await target(asking).run(call(nothing))


async def test_no_session_can_answer_the_request_of_another():
    served = target(asking())
    one, other = Session(served), Session(served)
    (request,) = (await one.turn("str")).requests
    asked = await other.turn("bool")

    assert [request.call_id for request in asked.requests] == ["ask bool"]
    with pytest.raises(AlreadyAnswered):
        await other.turn(answer(request, "x"))


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_new_text_goes_to_the_workflow_and_the_request_stays_open(stream):
    session = Session(target(asking))
    (request,) = (await session.turn("str")).requests

    said = await session.turn("something else", stream=stream)

    assert (said.status, said.result.text) == ("input_required", "heard something else")
    assert [open.call_id for open in said.requests] == [request.call_id]
    assert items(said.result.response) == [[("text", "heard something else")]]
    assert (await session.turn(answer(request, "x"))).result.text == "str: 'x'"


async def test_a_new_message_and_an_answer_do_not_go_in_one_turn():
    session = Session(target(asking))
    (request,) = (await session.turn("str")).requests
    result = answer(request, "x")

    for value in (
        [result, Message("user", ["and more"])],
        [Message("user", ["first this"]), result],
        Message("user", [*result.contents, Content.from_text("and more")]),
    ):
        with pytest.raises(UnprocessableInput, match="in a turn of their own"):
            await session.turn(value)


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_request_of_an_inner_workflow_is_answered_on_another_instance(stream):
    def build():
        inner = WorkflowExecutor(
            workflow_pending(), id="inner", allow_direct_output=True, propagate_request=True
        )
        return WorkflowBuilder(name="outer", start_executor=inner).build()

    session = Session(target(build))
    (request,) = (await session.turn("why?", stream=stream)).requests
    session.target = target(build)

    done = await session.turn(answer(request, "because"), stream=stream)

    assert (done.status, done.result.text) == ("completed", "why?: because")


class Join(Executor):
    @handler
    async def join(self, answers: list[AgentExecutorResponse], ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(" | ".join(answer.agent_response.text for answer in answers))


class Both(Executor):
    @handler
    async def both(self, text: str, ctx: WorkflowContext[AgentExecutorRequest]) -> None:
        await ctx.send_message(AgentExecutorRequest([Message("user", [text])]))


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_an_agent_that_is_done_waits_in_the_checkpoint_for_one_that_asks(stream):
    def build():
        client = ScriptedChatClient([steps.ToolCall("delete", {"path": "/a"})], "Cleaned.")
        cleaner, echo = Agent(client=client, name="cleaner", tools=[delete]), Echo("echo ", name="echo")
        start, join = Both(id="both"), Join(id="join")
        builder = WorkflowBuilder(name="fan", start_executor=start, output_from=[join])
        return (
            builder.add_fan_out_edges(start, [echo, cleaner]).add_fan_in_edges([echo, cleaner], join).build()
        )

    session = Session(target(build))
    (request,) = (await session.turn("clean", stream=stream)).requests
    session.target = target(build)

    done = await session.turn(approval(request), stream=stream)

    assert (done.status, done.result.text) == ("completed", "echo clean | Cleaned.")
