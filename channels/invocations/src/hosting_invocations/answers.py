"""Answers to open approval requests: the caller names one, the channel knows what it is about (contract 6.8)."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from agent_framework import Content, Message

from hosting import UnknownReference

FindRequest = Callable[[str], Awaitable[Content | None]]


async def with_requests(value: Any, find: FindRequest) -> Any:
    """`value` with each approval response made from the request that it answers.

    Args:
        value: The input of a turn; what holds no approval response is given back as it is.
        find: Gives the request of an id that was asked in this session.

    Raises:
        UnknownReference: The session never asked that.
    """
    messages = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    if not any(_answers(message) for message in messages):
        return cast("Any", value)
    return [await _answered(message, find) if _answers(message) else message for message in messages]


async def _answered(message: Message, find: FindRequest) -> Message:
    answered = copy.copy(message)
    answered.contents = [
        await _response(content, find) if _is_answer(content) else content for content in message.contents
    ]
    return answered


async def _response(content: Content, find: FindRequest) -> Content:
    request = await find(content.id or "")
    if request is None:
        raise UnknownReference("This session has no open request with this id.", param="messages")
    return request.to_function_approval_response(content.approved is True)


def _answers(message: Any) -> bool:
    return isinstance(message, Message) and any(map(_is_answer, message.contents))


def _is_answer(content: Content) -> bool:
    return content.type == "function_approval_response"
