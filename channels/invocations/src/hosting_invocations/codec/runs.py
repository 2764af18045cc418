"""Items of an answer as they grow: an item is one run of one content type within a message (contract 7.2)."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content

from .items import Item, is_refusal, item_of, text_item


@dataclass(slots=True, kw_only=True, eq=False)
class TextRun:
    """A text, or a refusal, that is sent as it comes.

    Attributes:
        message: Number of its message.
        index: Its place in the message.
    """

    message: int
    index: int
    refusal: bool = False
    annotations: list[Item] = field(default_factory=list[Item])
    _pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def takes(self, content: Content) -> bool:
        """Whether an adjacent content belongs here."""
        return content.type == "text" and is_refusal(content) == self.refusal

    def rest_of(self, text: str) -> str | None:
        """What is left to send where `text` replaces what was sent; None if what was sent is no part of it."""
        sent = self.text
        return text[len(sent) :] if text.startswith(sent) else None

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def item(self) -> Item:
        return text_item(self.text, refusal=self.refusal, annotations=self.annotations)


@dataclass(slots=True, kw_only=True, eq=False)
class WholeRun:
    """Anything else; it is sent whole, and once more if it grew afterwards.

    Attributes:
        message: Number of its message.
        index: Its place in the message.
    """

    message: int
    index: int
    _pieces: list[Content] = field(default_factory=list[Content])
    _id: str | None = None
    _raw: bool | None = None

    def takes(self, content: Content) -> bool:
        """Whether an adjacent content belongs here: reasoning does, unless it has another id or is of the other kind."""
        if not self._type == content.type == "text_reasoning":
            return False
        same_id = not (self._id and content.id) or self._id == content.id
        return same_id and (self._raw is None or not content.text or self._raw == _is_raw(content))

    def takes_call(self, content: Content) -> bool:
        """Whether a piece of a call belongs here; one without a `call_id` belongs to the last call."""
        if self._type != "function_call":
            return False
        if not content.call_id:
            return True
        return self._pieces[0].call_id == content.call_id and self._id in (None, content.id)

    def takes_code(self, content: Content) -> bool:
        """Whether `content` is more of the same run of a code interpreter."""
        return (
            content.type in ("code_interpreter_tool_call", "code_interpreter_tool_result")
            and self._type == content.type
            and self._pieces[0].call_id == content.call_id is not None
        )

    def add(self, content: Content) -> None:
        self._pieces.append(content)
        self._id = self._id or content.id
        if content.text and self._raw is None:
            self._raw = _is_raw(content)

    def item(self) -> Item:
        return item_of(self._folded())

    @property
    def _type(self) -> str:
        return self._pieces[0].type

    def _folded(self) -> Content:
        """The pieces as core joins them, on copies: it marks what it has joined."""
        if len(self._pieces) > 1:
            pieces = [copy.copy(piece) for piece in self._pieces]
            folded = AgentResponse[Any].from_updates([AgentResponseUpdate(role="assistant", contents=pieces)])
            self._pieces = folded.messages[0].contents[:1]
        return self._pieces[0]


Run = TextRun | WholeRun


def _is_raw(content: Content) -> bool:
    properties = content.additional_properties
    nested = properties.get("openai")
    return "reasoning_text" in properties or (isinstance(nested, dict) and "reasoning_text" in nested)
