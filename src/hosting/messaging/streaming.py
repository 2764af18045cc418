"""What a target says as plain texts, streamed or not: pure functions for channels that show text (contract 7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content

from .shown import is_answer

_NOT_SHOWN_IN_ORDER = frozenset({"usage"})


def text_items(response: AgentResponse[Any]) -> list[str]:
    """The assistant's texts of an answer, one for each item as core folds it (contract 7.2)."""
    return [
        content.text or ""
        for message in response.messages
        if is_answer(message.role)
        for content in message.contents
        if content.type == "text"
    ]


class StreamedItems:
    """Folds streamed updates into the items that `text_items` gives, and says what each update adds.

    What was shown stays: a differing replacement begins a new item, so that the stream may hold one item more than
    the fold (contract 7.2).

    Attributes:
        texts: The items so far.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._open = False
        self._role = ""
        self._message_id: str | None = None
        self._author: str | None = None

    def add(self, update: AgentResponseUpdate) -> Iterator[tuple[int, str]]:
        """The item and the text to add to it, for each text of the update that adds any."""
        self._begin(update)
        for content in update.contents:
            if content.type == "text" and is_answer(self._role):
                yield from self._text(content)
            elif content.type not in _NOT_SHOWN_IN_ORDER:
                self._open = False

    def _begin(self, update: AgentResponseUpdate) -> None:
        """Whose message the update adds to, as core folds: one of another id, author or role begins a new one."""
        if (
            not self._role
            or _differ(update.message_id, self._message_id)
            or _differ(update.author_name, self._author)
            or _differ(update.role, self._role)
        ):
            self._open, self._role, self._message_id, self._author = False, "assistant", None, None
        self._role = update.role or self._role
        self._message_id = update.message_id or self._message_id
        self._author = update.author_name or self._author

    def _text(self, content: Content) -> Iterator[tuple[int, str]]:
        text = content.text or ""
        if not self._open:
            self.texts.append("")
            self._open = True
        elif content.merge_mode == "replace":
            before = self.texts[-1]
            if text.startswith(before):
                text = text[len(before) :]
            else:
                self.texts.append("")
        if text:
            self.texts[-1] += text
            yield len(self.texts) - 1, text


def _differ(new: str | None, known: str | None) -> bool:
    return bool(new and known and new != known)
