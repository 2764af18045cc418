"""A create request, parsed: what runs, what is stored, what is only echoed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_framework import FunctionTool, Message

from hosting import ReadOnlyMap

from .wire import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """One `responses.create`, as the rest of the channel sees it.

    Args:
        messages: The input for the target, instructions first.
        input_items: The input as items with ids, as `input_items` lists it.
        instructions: The caller's instructions, for this response only.
        previous_response_id: Continue as that response ended.
        conversation_id: Run in that conversation.
        store: Whether the response can be retrieved and continued later.
        stream: Whether the caller asked for events.
        background: Whether the response goes on without its caller.
        options: Run options for the target, by core's names.
        client_tools: Tools that the caller runs itself, declarations only.
        tools: The same as the response object echoes them.
        include: Additional output that the caller asked for.
        metadata: The caller's labels.
        echo: Further keys of the response object, as the request set them.
        hosting: The developer's `hosting` block (contract 3.1).
        unknown: Body keys that the API does not have.
    """

    messages: Sequence[Message] = ()
    input_items: Sequence[Item] = ()
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation_id: str | None = None
    store: bool = True
    stream: bool = False
    background: bool = False
    options: Mapping[str, Any] = field(default_factory=ReadOnlyMap)
    client_tools: Sequence[FunctionTool] = ()
    tools: Sequence[Item] = ()
    include: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=ReadOnlyMap)
    echo: Mapping[str, Any] = field(default_factory=ReadOnlyMap)
    hosting: Any = None
    unknown: Mapping[str, Any] = field(default_factory=ReadOnlyMap)
