"""The default request body: what it may hold, and the one parser of it.

The structs below are both the parser and the schema of the OpenAPI document, so the two cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from hosting import RequestError

from .parts import END, Part, Spoken, read_messages

ID_PATTERN = r"^[A-Za-z0-9_.:-]{1,256}" + END
"""Ids that may stand in a header, a log and a path."""

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<place>.*)`)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedInvocation:
    """What a request asks for, whatever its body looked like; a caller-supplied parser makes one.

    Args:
        input: What the target gets: text, messages, or for workflows anything. An answer to an approval request is a
            `function_approval_response` content; only its `id` and `approved` count.
        session_id: The session that the body names; the request's query and headers come first.
        stream: Whether events are asked for.
        background: Whether it goes on without its caller, and is asked for later.
        attributes: For hooks, as `ChannelRequest.attributes`.
        metadata: For hooks, as `ChannelRequest.metadata`.
        options: Run options; allow-list them, they reach the target.
    """

    input: Any
    session_id: str | None = None
    stream: bool = False
    background: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Message(Struct, frozen=True, kw_only=True):
    """One message of `messages`."""

    role: Literal["user", "assistant", "system", "tool"]
    content: Spoken | Annotated[list[Part], Meta(min_length=1)]


class Invocation(Struct, frozen=True, kw_only=True):
    """Exactly one of `input`, `message` and `messages`; keys that are not listed reach the app's hooks only."""

    input: (
        Annotated[
            Spoken | int | float | bool | list[Any] | dict[str, Any],
            Meta(description="Text. A target that is a workflow may take other values."),
        ]
        | UnsetType
    ) = UNSET
    message: Annotated[Spoken, Meta(description="Text.")] | UnsetType = UNSET
    messages: Annotated[list[Message], Meta(min_length=1)] | UnsetType = UNSET
    session_id: (
        Annotated[
            str,
            Meta(pattern=ID_PATTERN, description="Goes on with that session of the caller."),
        ]
        | None
    ) = None
    stream: bool | None = None
    background: (
        Annotated[
            bool, Meta(description="Answers at once with 202; the invocation goes on without its caller.")
        ]
        | None
    ) = None


INPUTS = ("input", "message", "messages")


def parse_envelope(body: Mapping[str, Any]) -> ParsedInvocation:
    """The default envelope.

    Args:
        body: The decoded JSON object.

    Raises:
        RequestError: It is not one; says where, and what was expected.
    """
    try:
        invocation = msgspec.convert(body, Invocation)
    except msgspec.ValidationError as error:
        raise _malformed(error) from None
    given = [name for name in INPUTS if name in body]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise RequestError(f"Give exactly one of 'input', 'message' and 'messages'; found {found}.")
    known = Invocation.__struct_fields__
    unknown = {name: value for name, value in body.items() if name not in known}
    hosting = unknown.pop("hosting", None)
    attributes = {"body": unknown, "hosting": hosting}
    return ParsedInvocation(
        input=_input(invocation),
        session_id=invocation.session_id,
        stream=bool(invocation.stream),
        background=bool(invocation.background),
        attributes={name: value for name, value in attributes.items() if value},
    )


def is_id(value: str) -> bool:
    """Whether `value` may name an invocation or a session."""
    return re.match(ID_PATTERN, value) is not None


def _input(invocation: Invocation) -> Any:
    if invocation.messages is not UNSET:
        return read_messages((message.role, message.content) for message in invocation.messages)
    return invocation.message if invocation.message is not UNSET else invocation.input


def _malformed(error: msgspec.ValidationError) -> RequestError:
    """The parser's complaint; it quotes the schema and the names of JSON types."""
    match = cast("re.Match[str]", _PLACE.fullmatch(str(error)))
    place = match["place"] or None
    where = f" at '{place}'" if place else ""
    return RequestError(f"The request body is not an invocation: {match['what']}{where}.", param=place)
