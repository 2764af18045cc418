"""A workflow's open requests as contents that a caller can answer, and the answers (contract 8.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent_framework import Content, Message, WorkflowEvent
from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from ...errors import AlreadyAnswered, UnprocessableInput
from ...serialization import to_text, type_name

Requests = Mapping[str, WorkflowEvent[Any]]
"""Open requests by core's request id."""

REQUEST_INFO = "request_info"
"""Name of the function call that stands for a request of an executor."""

_ANSWER_TYPES = frozenset({"function_result", "function_approval_response"})


def request_content(event: WorkflowEvent[Any]) -> Content:
    """What the caller sees of a request.

    An approval, or a call of a tool that the caller runs, stays what it is. Any other request is a call of
    `request_info`, whose arguments are the request's data and the name of the type expected as its answer.

    Raises:
        UnregisteredType: The data is of a type that was not registered.
    """
    if _is_approval(event.data) or _is_call(event.data):
        return event.data
    shown = {"request": json.loads(to_text(event.data)), "response_type": type_name(event.response_type)}
    content = Content.from_function_call(
        call_id=event.request_id, name=REQUEST_INFO, arguments=json.dumps(shown, ensure_ascii=False)
    )
    content.user_input_request = True
    return content


def read_answers(messages: Sequence[Message] | None, open_requests: Requests) -> dict[str, Any] | None:
    """The answers that the input is made of, by request id; None if it is a message.

    Raises:
        AlreadyAnswered: An answer is to no open request.
        UnprocessableInput: An answer is not of the type expected, or comes together with a new message.
    """
    if not messages:
        return None
    by_caller_id = {_caller_id(event): event for event in open_requests.values()}
    answers = trailing_answers(messages)
    if not answers:
        if any(_answered_id(content) in by_caller_id for message in messages for content in message.contents):
            raise _mixed()
        return None
    before = messages[: len(messages) - len(answers)]
    if before and before[-1].role != "assistant":
        raise _mixed()
    contents = [content for message in answers for content in message.contents]
    return dict(_read(content, by_caller_id) for content in contents)


def trailing_answers(messages: Sequence[Message]) -> list[Message]:
    """The last messages of the input, as far as they hold answers only; history may stand before them."""
    found: list[Message] = []
    for message in reversed(messages):
        if not message.contents or any(content.type not in _ANSWER_TYPES for content in message.contents):
            break
        found.insert(0, message)
    return found


def _read(content: Content, by_caller_id: Requests) -> tuple[str, Any]:
    answered = _answered_id(content) or ""
    event = by_caller_id.get(answered)
    if event is None:
        raise AlreadyAnswered(
            f"Request {answered!r} is not open: it was answered before, or never asked here."
        )
    return event.request_id, _answer(content, event)


def _answer(content: Content, event: WorkflowEvent[Any]) -> Any:
    if _is_approval(event.data):
        if content.type != "function_approval_response":
            raise _wrong(event, "an approval response")
        # Made from our own request: what the caller says that it approved counts for nothing.
        answer = event.data.to_function_approval_response(content.approved is True)
        return answer.approved if event.response_type is bool else answer
    if content.type != "function_result":
        raise _wrong(event, "a function result")
    return content if _is_call(event.data) else _converted(content.result, event)


def _converted(value: Any, event: WorkflowEvent[Any]) -> Any:
    expected = cast("Any", event.response_type)
    if expected is str and isinstance(value, str):
        return value
    if expected is Content:
        return _as_content(value)
    try:
        adapter = TypeAdapter[Any](expected)
    except PydanticSchemaGenerationError:
        if isinstance(expected, type) and isinstance(value, expected):
            return value
        raise _wrong(event, type_name(expected)) from None
    for validate in (adapter.validate_json, adapter.validate_python):
        try:
            return validate(value)
        except (ValidationError, TypeError):
            continue
    raise _wrong(event, type_name(expected))


def _as_content(value: Any) -> Content:
    try:
        fields = json.loads(value)
        return Content.from_dict(cast("dict[str, Any]", fields))
    except (ValueError, TypeError, AttributeError):
        return Content.from_text(str(value))


def _caller_id(event: WorkflowEvent[Any]) -> str:
    """The id under which the caller knows the request."""
    if _is_approval(event.data):
        return event.data.id or event.request_id
    if _is_call(event.data):
        return event.data.call_id or event.request_id
    return event.request_id


def _answered_id(content: Content) -> str | None:
    if content.type == "function_approval_response":
        return content.id
    return content.call_id if content.type == "function_result" else None


def _is_approval(data: Any) -> bool:
    return isinstance(data, Content) and data.type == "function_approval_request"


def _is_call(data: Any) -> bool:
    return isinstance(data, Content) and data.type == "function_call"


def _wrong(event: WorkflowEvent[Any], expected: str) -> UnprocessableInput:
    return UnprocessableInput(
        f"Request {_caller_id(event)!r} expects {expected} as its answer.", param="input"
    )


def _mixed() -> UnprocessableInput:
    return UnprocessableInput(
        "Answer open requests in a turn of their own, without a new message.", param="input"
    )
