"""The conversation as the host keeps it: rows in a tree, loaded once, appended per turn (contract 6.11, 4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

import msgspec
from agent_framework import HistoryProvider, Message

from ..errors import ChannelConfigurationError
from ..state.tables.history import HistoryEntry

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class HistoryNode:
    """One stored message and the way to the first: sessions that fork share their prefix."""

    row_id: str
    message: Message
    parent: HistoryNode | None = None

    def path(self) -> Iterator[HistoryNode]:
        """From this message back to the first."""
        node: HistoryNode | None = self
        while node is not None:
            yield node
            node = node.parent


def messages_of(head: HistoryNode | None, *, window: int | None = None) -> list[Message]:
    """The conversation, oldest first: all of it, or the last `window` messages from one of the user on."""
    messages = [node.message for node in islice(head.path(), window)] if head else []
    if window is not None and len(messages) == window:
        while messages and messages[-1].role != "user":
            messages.pop()
    messages.reverse()
    return messages


def chain_of(entries: Iterable[HistoryEntry]) -> HistoryNode | None:
    """The last of the stored `entries`, oldest first, each decoded once and linked to the one before."""
    head: HistoryNode | None = None
    for entry in entries:
        head = HistoryNode(entry.id, Message.from_dict(_decode(entry.message)), head)
    return head


def encode_message(message: Message) -> str:
    """A message as its row holds it; lone surrogates become U+FFFD (contract 6.10)."""
    fields = message.to_dict()
    try:
        return _encode(fields).decode()
    except UnicodeEncodeError:
        return _encode(replace_surrogates(fields)).decode()


def replace_surrogates(value: Any) -> Any:
    """`value`, JSON-like, with lone surrogates in its texts replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {replace_surrogates(key): replace_surrogates(item) for key, item in items}
    if isinstance(value, list):
        return [replace_surrogates(item) for item in cast("list[Any]", value)]
    return value


@dataclass(slots=True)
class HistoryTurn:
    """What one turn reads and adds; nothing is written before its commit."""

    head: HistoryNode | None
    provider_side: bool = False
    added: list[Message] = field(default_factory=list[Message])


class HostHistoryProvider(HistoryProvider):
    """Keeps an agent's history in the host's store.

    It only collects during a run; the pipeline commits what was added together with the turn (contract 4.4). A turn is
    found by its session id, so it works wherever the stream is consumed (core-facts 7b). A run without a bound session
    sees an empty history and keeps nothing. Give an agent one of these to set a window; without one it gets its own.

    Args:
        source_id: Names the provider among those of the agent.
        window: Messages that the target sees of what was said before, beginning with one of the user; None for all. All
            are kept, and what is not in the window is not loaded either.
    """

    def __init__(self, source_id: str = "hosting_history", *, window: int | None = None) -> None:
        super().__init__(source_id)
        if window is not None and window < 1:
            raise ChannelConfigurationError(
                f"found {window}, expected a number of messages above 0, or None", field="window"
            )
        self.window = window
        self._turns: dict[str, HistoryTurn] = {}

    def bind(self, session_id: str, turn: HistoryTurn) -> None:
        """Runs on this session read and add to `turn` until it is released."""
        self._turns[session_id] = turn

    def release(self, session_id: str) -> None:
        self._turns.pop(session_id, None)

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """The stored conversation; empty where the model service keeps it, or it would be sent twice (contract 6.11)."""
        turn = self._turns.get(session_id or "")
        if turn is None or turn.provider_side:
            return []
        return [*messages_of(turn.head, window=self.window), *turn.added]

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        turn = self._turns.get(session_id or "")
        if turn is not None:
            turn.added.extend(message for message in messages if not _is_transient(message))


def _is_transient(message: Message) -> bool:
    """A message that counts for its own turn alone, such as the instructions that a caller gives with a request."""
    hosting: Any = message.additional_properties.get("hosting")
    return isinstance(hosting, dict) and bool(cast("dict[str, Any]", hosting).get("transient"))
