"""What reaches the workflow's first executor (contract 3.5, 8.2)."""

from typing import Any, Never

import pytest
from agent_framework import Agent, Content, Executor, Message, WorkflowBuilder, WorkflowContext, handler

from hosting.errors import UnprocessableInput
from hosting.serialization import register_type
from hosting_testkit.targets import Order, Receipt, ScriptedChatClient, workflow_echo, workflow_typed
from tests.targets.workflow_session import Session, answer, call, target

register_type(Receipt)


class Text(Executor):
    @handler
    async def text(self, data: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(f"str {data}")


class One(Executor):
    @handler
    async def one(self, data: Message, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(
            f"Message {data.text} {data.message_id} {data.additional_properties.get('hosting')}"
        )


class Many(Executor):
    @handler
    async def many(self, data: list[Message], ctx: WorkflowContext[Never, str]) -> None:
        last = data[-1]
        await ctx.yield_output(
            f"{len(data)} {last.text} {last.message_id} {last.additional_properties.get('hosting')}"
        )


class Part(Executor):
    @handler
    async def part(self, data: Content, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(f"Content {data.text}")


class Strings(Executor):
    @handler
    async def strings(self, data: list[str], ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output("+".join(data))


class TextAndOne(Text):
    @handler
    async def one(self, data: Message, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(f"Message {data.text}")


def of(start: type[Executor]):
    return target(lambda: WorkflowBuilder(name="w", start_executor=start(id="start")).build())


def user(*contents: Any, id: str | None = None) -> Message:
    return Message("user", list(contents), message_id=id)


MARK = {"channel": "c"}
IMAGE = Content.from_data(b"png", "image/png")


@pytest.mark.parametrize(
    ("start", "value", "got"),
    [
        (Text, "hi", "str hi"),
        (Text, user("hi"), "str hi"),
        (Text, [user("hi")], "str hi"),
        (Text, [user("a", "b")], "str a\nb"),
        (Text, Content.from_text("hi"), "str hi"),
        (One, "hi", f"Message hi msg_1 {MARK}"),
        (One, user("hi", id="m"), f"Message hi m {MARK}"),
        (One, [user("hi", IMAGE)], f"Message hi msg_1 {MARK}"),
        (Many, "hi", f"1 hi msg_1 {MARK}"),
        (Many, user("hi"), f"1 hi msg_1 {MARK}"),
        (Many, [Message("system", ["be kind"]), user("hi")], f"2 hi msg_2 {MARK}"),
        (Part, Content.from_text("hi"), "Content hi"),
        (Strings, ["a", "b"], "a+b"),
        (TextAndOne, "hi", "str hi"),
        (TextAndOne, user("hi"), "Message hi"),
    ],
)
async def test_the_input_goes_in_as_it_is_or_as_text_or_as_messages(start, value, got):
    served = of(start)
    served.check_input(value)

    assert (await served.run(call(value, hosting=MARK))).result.text == got


async def test_the_callers_own_message_is_not_touched():
    message = user("hi")

    await of(One).run(call(message, hosting=MARK))

    assert message.message_id is None
    assert message.additional_properties == {}


async def test_a_hook_may_give_the_workflows_own_type():
    served = target(workflow_typed)

    result = (await served.run(call(Order("tea", 2)))).result

    assert result.outputs == (Receipt("tea", 2, "2-tea"),)
    assert result.text == '{"item": "tea", "quantity": 2, "number": "2-tea"}'


@pytest.mark.parametrize(
    ("served", "value", "found"),
    [
        (target(workflow_typed), "tea", "takes Order; found str"),
        (target(workflow_typed), [user("tea"), "x"], r"takes Order; found list\[Message \| str\]"),
        (target(workflow_echo), Order("tea"), "takes str; found Order"),
        (target(workflow_echo), user("look", IMAGE), "takes str; found Message"),
        (
            target(workflow_echo),
            [Message("system", ["be kind"]), user("hi")],
            r"takes str; found list\[Message\]",
        ),
        (target(workflow_echo), None, "takes str; found NoneType"),
        (of(Many), 5, r"takes list\[Message\]; found int"),
    ],
)
async def test_a_wrong_input_is_found_before_the_run_and_names_the_types(served, value, found):
    with pytest.raises(UnprocessableInput, match=found) as refusal:
        served.check_input(value)
    assert refusal.value.status == 422

    with pytest.raises(UnprocessableInput, match=found):
        await served.run(call(value))
    with pytest.raises(UnprocessableInput, match=found):
        await anext(aiter(served.stream(call(value))))


def test_answers_to_requests_pass_the_check_whatever_the_workflow_takes():
    target(workflow_typed).check_input(answer(Content.from_function_call("c1", "request_info"), "yes"))


async def test_repeated_equal_messages_all_reach_an_agent():
    client = ScriptedChatClient("same")
    session = Session(
        target(lambda: WorkflowBuilder(name="w", start_executor=Agent(client=client, name="a")).build())
    )

    for _ in range(4):
        await session.turn("hi", hosting=MARK)

    messages = client.calls[-1].messages
    assert [message.text for message in messages] == ["hi", "same"] * 3 + ["hi"]
    assert messages[-1].additional_properties["hosting"] == MARK
