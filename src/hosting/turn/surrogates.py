"""What the target answers may hold lone surrogates, which no wire and no store can carry (contract 6.10)."""

from __future__ import annotations

from agent_framework import AgentResponseUpdate

from ..sessions.history import replace_surrogates


def clean_update(update: AgentResponseUpdate) -> AgentResponseUpdate:
    """`update`, with lone surrogates in its texts replaced by U+FFFD in place."""
    for content in update.contents:
        text = content.text
        if text and not text.isascii() and _is_broken(text):
            content.text = replace_surrogates(text)
    return update


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
