"""Updates as targets give them, and what the codec makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message

from hosting_responses.codec import ResponseEnd, ResponseStreamBuilder, ended, new_response, parse_create


def update(*contents: Content, **fields: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(contents=contents, **fields)


def text(value: str, *, replace: bool = False, **fields: Any) -> Content:
    return Content.from_text(value, merge_mode="replace" if replace else "append", **fields)


def call(arguments: Any = "", *, call_id: str = "call_1", replace: bool = False, **fields: Any) -> Content:
    mode = "replace" if replace else None
    return Content.from_function_call(call_id, "lookup", arguments=arguments, merge_mode=mode, **fields)


def base(**body: Any) -> dict[str, Any]:
    request = parse_create({"input": "hi", **body}, id_base="resp_1")
    return new_response(request, response_id="resp_1", created_at=1_700_000_000, model="agent")


def streamed(
    updates: Iterable[AgentResponseUpdate], *, status: str = "completed", **builder: Any
) -> list[dict[str, Any]]:
    """All events of a turn."""
    response = base()
    stream = ResponseStreamBuilder(response, **builder)
    events = stream.start()
    for one in updates:
        events += stream.feed(one)
    events += stream.close(completed=status == "completed")
    end = ResponseEnd(status=status, output=stream.output, usage=stream.usage, completed_at=1_700_000_001)
    return events + stream.end(ended(response, end))


def output(updates: Iterable[AgentResponseUpdate], **builder: Any) -> list[dict[str, Any]]:
    """The items of a streamed turn."""
    return streamed(updates, **builder)[-1]["response"]["output"]


def one_shot(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The items of an answer that was not streamed."""
    stream = ResponseStreamBuilder(base())
    for message in messages:
        stream.feed_message(message)
    stream.close(completed=True)
    return stream.output


def folded(updates: Sequence[AgentResponseUpdate]) -> list[dict[str, Any]]:
    """The items of what core folds `updates` to."""
    return one_shot(AgentResponse.from_updates(updates).messages)
