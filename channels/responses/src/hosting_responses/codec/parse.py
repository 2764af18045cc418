"""A create request's body, parsed. Pure: what it refers to in the store is looked up first and handed in.

The caller's `instructions` go to the target as a system message in front of the input. They hold for one response only,
so that message is marked `additional_properties["hosting"] = {"transient": True}` and is no part of the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from agent_framework import Content, Message

from hosting import ReadOnlyMap, RequestError

from .fields import (
    MissingParameter,
    UnsupportedParameter,
    flag,
    mapping,
    optional_text,
    sequence,
    text,
    wrong,
)
from .input_items import InputReader
from .options import PARAMETERS, echoes, parse_metadata, refuse_unsupported, run_options
from .request import ParsedRequest
from .tools import declarations, parse_tools
from .wire import Item

_INCLUDES = frozenset(
    {
        "code_interpreter_call.outputs",
        "computer_call_output.output.image_url",
        "file_search_call.results",
        "message.input_image.image_url",
        "message.output_text.logprobs",
        "reasoning.encrypted_content",
        "web_search_call.action.sources",
        "web_search_call.results",
    }
)


@dataclass(frozen=True, slots=True)
class Referred:
    """What a request refers to by id, as the channel found it.

    Args:
        items: Items by id, for `item_reference`.
        approvals: Open approval requests by id, for `mcp_approval_response`.
    """

    items: Mapping[str, Item] = field(default_factory=ReadOnlyMap)
    approvals: Mapping[str, Content] = field(default_factory=ReadOnlyMap)


def parse_create(
    body: Mapping[str, Any], *, id_base: str, referred: Referred | None = None, earlier: Sequence[Item] = ()
) -> ParsedRequest:
    """The body of `responses.create`.

    Args:
        body: The JSON object.
        id_base: The id that the response will have; the ids of input items derive from it.
        referred: What `references` named, where it was found.
        earlier: Items of the conversation that go in front of the input; they are not listed as its own.

    Raises:
        RequestError: Says which parameter is missing, wrong or not supported.
    """
    refuse_unsupported(body)
    previous, conversation = optional_text(body, "previous_response_id"), conversation_of(body)
    if previous is not None and conversation is not None:
        raise RequestError(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Send one of them.",
            param="previous_response_id",
        )
    instructions = optional_text(body, "instructions")
    items, messages = parse_input(body.get("input"), id_base=id_base, referred=referred)
    if earlier:
        messages = [*parse_input(list(earlier), id_base=id_base)[1], *messages]
    if instructions:
        messages.insert(0, instruction(instructions))
    tools = parse_tools(body.get("tools"))
    background, store = flag(body, "background", False), flag(body, "store", True)
    if background and not store:
        raise RequestError("A background response is stored: leave 'store' out, or true.", param="store")
    return ParsedRequest(
        messages=messages,
        input_items=items,
        instructions=instructions,
        previous_response_id=previous,
        conversation_id=conversation,
        store=store,
        stream=flag(body, "stream", False),
        background=background,
        options=run_options(body),
        client_tools=declarations(tools),
        tools=tools,
        include=_include(body.get("include")),
        metadata=parse_metadata(body),
        echo=echoes(body),
        hosting=body.get("hosting"),
        unknown={name: value for name, value in body.items() if name not in PARAMETERS and name != "hosting"},
    )


def instruction(instructions: str) -> Message:
    """Instructions for one run, as a message that no history keeps."""
    return Message("system", [instructions], additional_properties={"hosting": {"transient": True}})


def parse_input(
    value: Any, *, id_base: str, referred: Referred | None = None, name: str = "input"
) -> tuple[list[Item], list[Message]]:
    """An `input`: the items as the API lists them, and the messages that they are for the target.

    Raises:
        RequestError: It is missing, blank, or an item is wrong.
    """
    if value is None:
        raise MissingParameter(f"Missing required parameter: '{name}'.", param=name)
    if isinstance(value, str):
        value = [{"type": "message", "role": "user", "content": value}]
    if not isinstance(value, list):
        wrong(name, value, "a string or an array")
    reader = InputReader(id_base, (referred or Referred()).items, (referred or Referred()).approvals)
    for index, item in enumerate(sequence(value, name)):
        reader.read(mapping(item, f"{name}[{index}]"), f"{name}[{index}]")
    if not any(_says_something(content) for message in reader.messages for content in message.contents):
        raise RequestError(
            f"Invalid '{name}': it is empty. Send some text, a file or a tool's output.", param=name
        )
    return reader.items, reader.messages


def references(value: Any) -> tuple[list[str], list[str]]:
    """The ids of items and of approval requests that an `input` refers to, whatever else is wrong with it."""
    items: list[str] = []
    approvals: list[str] = []
    for entry in cast("list[Any]", value) if isinstance(value, list) else []:
        if isinstance(entry, dict):
            item = cast("Item", entry)
            kind = item.get("type")
            if kind == "mcp_approval_response" and isinstance(item.get("approval_request_id"), str):
                approvals.append(item["approval_request_id"])
            elif isinstance(item.get("id"), str) and (kind == "item_reference" or not (item.keys() - {"id"})):
                items.append(item["id"])
    return items, approvals


def conversation_of(body: Mapping[str, Any]) -> str | None:
    """The id in `conversation`, which may be a string or `{"id": ...}`."""
    value = body.get("conversation")
    if isinstance(value, dict):
        value = mapping(value, "conversation").get("id")
        return text(value, "conversation.id")
    return None if value is None else text(value, "conversation")


def _include(value: Any) -> frozenset[str]:
    names = [] if value is None else sequence(value, "include")
    for index, name in enumerate(names):
        if text(name, f"include[{index}]") not in _INCLUDES:
            raise UnsupportedParameter(
                f"Invalid 'include[{index}]': '{name}' is not known here.", param="include"
            )
    return frozenset(names)


def _says_something(content: Content) -> bool:
    return content.type != "text" or bool((content.text or "").strip())
