"""From what a channel or hook gave to what the workflow's first executor takes (contract 8.2)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from agent_framework import (
    AgentExecutor,
    AgentRunInputs,
    Content,
    Executor,
    Message,
    Workflow,
    WorkflowMessage,
    normalize_messages,
)

from ...errors import UnprocessableInput
from ...ids import IdSource
from ...serialization import type_name


def messages_of(value: Any) -> list[Message] | None:
    """`value` as messages, or None if it is no `AgentRunInputs`."""
    items = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, str | Content | Message) for item in items):
        return None
    return normalize_messages(cast("AgentRunInputs", value))


def adapted_input(workflow: Workflow, value: Any) -> Any:
    """The form of `value` that the workflow takes: as it is, else as text, a message, a list of messages.

    Raises:
        UnprocessableInput: It takes none of these; names the types that it takes.
    """
    start = workflow.get_start_executor()
    for form in _forms(start, value):
        if form is not None and start.can_handle(WorkflowMessage(data=form, source_id=start.id)):
            return form
    expected = ", ".join(type_name(hint) for hint in workflow.input_types)
    raise UnprocessableInput(f"The workflow takes {expected}; found {_found(value)}.", param="input")


def labelled(value: Any, *, hosting: Mapping[str, Any], ids: IdSource) -> Any:
    """`value` with an id on each of its messages, and the host's mark on the last one of the user (contract 3.5)."""
    if isinstance(value, Message):
        return _labelled([value], hosting, ids)[0]
    items = cast("list[Any]", value) if isinstance(value, list) else []
    if items and all(isinstance(item, Message) for item in items):
        return _labelled(items, hosting, ids)
    return cast("Any", value)


def _forms(start: Executor, value: Any) -> Iterator[Any]:
    messages = messages_of(value)
    if isinstance(start, AgentExecutor) and messages:
        # As text it would reach the agent without a message id, and core's history drops repeated equal messages.
        yield messages[0] if len(messages) == 1 else messages
    yield value
    if messages:
        yield _plain_text(messages)
        yield messages[0] if len(messages) == 1 else None
        yield messages


def _plain_text(messages: Sequence[Message]) -> str | None:
    """The text of one user message that holds nothing else."""
    if len(messages) != 1 or messages[0].role != "user":
        return None
    contents = messages[0].contents
    if not contents or any(content.type != "text" for content in contents):
        return None
    return "\n".join(content.text or "" for content in contents)


def _labelled(messages: Sequence[Message], hosting: Mapping[str, Any], ids: IdSource) -> list[Message]:
    copies = [copy.copy(message) for message in messages]
    for message in copies:
        message.message_id = message.message_id or ids.new("msg")
    last = next((message for message in reversed(copies) if message.role == "user"), None)
    if last is not None:
        last.additional_properties = {**last.additional_properties, "hosting": dict(hosting)}
    return copies


def _found(value: Any) -> str:
    if isinstance(value, list):
        kinds = sorted({type(item).__name__ for item in cast("list[Any]", value)})
        return f"list[{' | '.join(kinds)}]"
    return type(value).__name__
