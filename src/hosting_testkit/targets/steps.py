"""The steps of a script, for `Scripted` and `ScriptedChatClient`: frozen, so a script can be shared and run again.

Import the module and name them with it: `Scripted("Hello ", steps.Sleep(3), "world")`. A string is a `Delta`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec
from agent_framework import Content, UsageDetails

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000b49444154789c6360000200000500017a5eab3f0000000049454e44ae426082"
)
"""A valid image of one transparent pixel."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one step puts into one streamed update."""

    contents: Sequence[Content] = ()
    role: Literal["assistant", "tool"] = "assistant"
    finish_reason: str | None = None
    value: Any = None


class Said(Protocol):
    """A step that says something; the contents are made anew for every run, because core changes them."""

    def pieces(self) -> Iterator[Piece]: ...


@dataclass(frozen=True, slots=True)
class Delta:
    """Adds to the text."""

    text: str

    def pieces(self) -> Iterator[Piece]:
        yield Piece([Content.from_text(self.text)])


@dataclass(frozen=True, slots=True)
class Replace:
    """Replaces the text so far, from the last content of another type on (contract 7.2)."""

    text: str

    def pieces(self) -> Iterator[Piece]:
        yield Piece([Content.from_text(self.text, merge_mode="replace")])


@dataclass(frozen=True, slots=True)
class Refusal:
    """A text that core knows as the model's refusal."""

    text: str

    def pieces(self) -> Iterator[Piece]:
        kind = {"model_output_kind": "refusal"}
        yield Piece([Content.from_text(self.text, additional_properties={**kind, "core": dict(kind)})])


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Adds to the reasoning, or replaces it."""

    text: str
    replace: bool = False

    def pieces(self) -> Iterator[Piece]:
        mode = "replace" if self.replace else None
        yield Piece([Content.from_text_reasoning(text=self.text, merge_mode=mode)])


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Calls a tool.

    Args:
        name: The tool.
        arguments: A mapping, or JSON text as the model would write it, valid or not.
        call_id: What the result refers to.
        split: Over how many updates the arguments come.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    call_id: str = "call_1"
    split: int = 1

    def pieces(self) -> Iterator[Piece]:
        text = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)
        size = max(1, -(-len(text) // max(1, self.split)))
        for start in range(0, max(1, len(text)), size):
            part = text[start : start + size]
            yield Piece([Content.from_function_call(self.call_id, self.name, arguments=part)])


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave: a message of the role `tool`, so text after it begins a new message."""

    result: Any
    call_id: str = "call_1"

    def pieces(self) -> Iterator[Piece]:
        yield Piece([Content.from_function_result(self.call_id, result=self.result)], role="tool")


@dataclass(frozen=True, slots=True)
class Approval:
    """Calls a tool that needs a person's approval: the call, then the request (`core-facts` 3.9).

    Args:
        name: The tool.
        arguments: What it would be called with.
        call_id: Id of the call and of the request.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    call_id: str = "call_1"

    def pieces(self) -> Iterator[Piece]:
        yield Piece([self._call()])
        yield Piece([Content.from_function_approval_request(self.call_id, self._call())])

    def _call(self) -> Content:
        text = json.dumps(self.arguments)
        return Content.from_function_call(self.call_id, self.name, arguments=text, id=self.call_id)


@dataclass(frozen=True, slots=True)
class Media:
    """An image, sound or file; a one-pixel PNG if nothing is given."""

    data: bytes = PNG
    media_type: str = "image/png"

    def pieces(self) -> Iterator[Piece]:
        yield Piece([Content.from_data(self.data, self.media_type)])


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were used; added up over the run."""

    input: int = 1
    output: int = 1

    def pieces(self) -> Iterator[Piece]:
        details = UsageDetails(
            input_token_count=self.input,
            output_token_count=self.output,
            total_token_count=self.input + self.output,
        )
        yield Piece([Content.from_usage(details)])


@dataclass(frozen=True, slots=True)
class Value:
    """A structured answer: its JSON as text, and the final response's `value`.

    Args:
        value: A dataclass, `msgspec.Struct`, pydantic model, mapping, sequence or scalar.
    """

    value: Any

    def pieces(self) -> Iterator[Piece]:
        text = msgspec.json.encode(self.value, enc_hook=_dump_model).decode()
        yield Piece([Content.from_text(text)], value=self.value)


@dataclass(frozen=True, slots=True)
class Finish:
    """Says why the model stopped: `stop`, `length`, `content_filter`, `tool_calls`."""

    reason: str = "stop"

    def pieces(self) -> Iterator[Piece]:
        yield Piece(finish_reason=self.reason)


@dataclass(frozen=True, slots=True)
class NextMessage:
    """What follows belongs to a new message."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Waits for so many seconds of loop time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Stops at a point of the script's `gates` until the test releases it."""

    point: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Raises `error`, an exception or its class."""

    error: BaseException | type[BaseException]


@dataclass(frozen=True, slots=True)
class Together:
    """What several steps say, in one update of the assistant: models and clients put into an update what they like."""

    said: Sequence[Said]

    def pieces(self) -> Iterator[Piece]:
        yield Piece([content for said in self.said for piece in said.pieces() for content in piece.contents])


Step = (
    str
    | Approval
    | Delta
    | Fail
    | Finish
    | Media
    | NextMessage
    | Reasoning
    | Refusal
    | Replace
    | Sleep
    | Stop
    | Together
    | ToolCall
    | ToolResult
    | Usage
    | Value
)
Turn = Sequence[Step]
"""What is played in one run, or in one call of the model."""


def _dump_model(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise NotImplementedError(
            f"{type(value).__name__} has no JSON form; give a dataclass, model or mapping"
        )
    return dump(mode="json")
