"""What a target says as plain texts, streamed or not: pure functions for channels that show text (contract 7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content

_NOT_SHOWN_IN_ORDER = frozenset({"usage"})


def text_items(response: AgentResponse[Any]) -> list[str]:
    """The assistant's texts of an answer, one for each item as core folds it (contract 7.2)."""
    return [
        content.text or ""
        for message in response.messages
        if message.role == "assistant"
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
        self._message: tuple[str | None, str | None] = (None, None)

    def add(self, update: AgentResponseUpdate) -> Iterator[tuple[int, str]]:
        """The item and the text to add to it, for each text of the update that adds any."""
        self._begin(update)
        for content in update.contents:
            if content.type == "text" and update.role != "tool":
                yield from self._text(content)
            elif content.type not in _NOT_SHOWN_IN_ORDER:
                self._open = False

    def _begin(self, update: AgentResponseUpdate) -> None:
        role, message_id = self._message
        other_message = update.message_id and message_id and update.message_id != message_id
        if other_message or (update.role and role and update.role != role):
            self._open, message_id = False, None
        self._message = (update.role or role, update.message_id or message_id)

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
