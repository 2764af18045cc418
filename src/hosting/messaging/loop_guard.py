"""Ends talks between bots (contract 17.4)."""

from __future__ import annotations

from collections import OrderedDict

_CONVERSATIONS = 1_000


class LoopGuard:
    """Counts what bots say one after the other in a conversation; a person's word starts anew.

    Args:
        limit: Messages of bots that are answered in a row.
    """

    def __init__(self, limit: int = 5) -> None:
        self._limit = limit
        self._in_a_row: OrderedDict[str, int] = OrderedDict()

    def lets_pass(self, conversation: str, *, from_bot: bool) -> bool:
        """Whether a message may be answered. Remembers the conversations of the last thousand messages of bots."""
        if not from_bot:
            self._in_a_row.pop(conversation, None)
            return True
        count = self._in_a_row.pop(conversation, 0) + 1
        self._in_a_row[conversation] = count
        if len(self._in_a_row) > _CONVERSATIONS:
            self._in_a_row.popitem(last=False)
        return count <= self._limit
