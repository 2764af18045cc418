"""The items of conversations, in order, and those that still wait for the next turn.

An item that a client adds by itself cannot be put into the target's history without a run, so it waits and goes in
front of the next turn's input. Until then it can be deleted.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from hosting import ChannelState, StateWrite, TimeSource

from .codec import Item
from .records import PAGE, conversation_key


class ConversationLog:
    """Conversations and their items, of all callers.

    Args:
        state: The channel's records.
        clock: Orders items across replicas.
    """

    def __init__(self, state: ChannelState, clock: TimeSource) -> None:
        self._state = state
        self._clock = clock
        self._batches = itertools.count()

    async def get(self, owner: str, conversation_id: str) -> dict[str, Any] | None:
        """The conversation object."""
        return await self._state.get(conversation_key(owner, conversation_id))

    def opening(self, owner: str, conversation_id: str, metadata: Mapping[str, Any]) -> StateWrite:
        """The change that creates a conversation, or its new metadata; the value is its object."""
        value = {
            "id": conversation_id,
            "object": "conversation",
            "created_at": int(self._clock.now()),
            "metadata": dict(metadata),
        }
        return StateWrite(conversation_key(owner, conversation_id), value)

    async def update(self, owner: str, conversation: Mapping[str, Any]) -> None:
        await self._state.put(conversation_key(owner, conversation["id"]), dict(conversation))

    async def delete(self, owner: str, conversation_id: str) -> None:
        """Deletes a conversation with its items."""
        key = conversation_key(owner, conversation_id)
        doomed = [*await self._rows(f"{key}/"), (key, None)]
        await self._state.write([StateWrite(name, None) for name, _ in doomed])

    def additions(
        self, owner: str, conversation_id: str, items: Sequence[Item], *, wait: bool
    ) -> list[StateWrite]:
        """The changes that add `items` at the end; with `wait` they go in front of the next turn's input."""
        key = conversation_key(owner, conversation_id)
        batch = f"{int(self._clock.now() * 1000):015d}.{next(self._batches):09d}"
        kinds = ("item", "waiting") if wait else ("item",)
        return [
            StateWrite(f"{key}/{kind}/{batch}.{index:06d}", item)
            for index, item in enumerate(items)
            for kind in kinds
        ]

    async def write(self, writes: Sequence[StateWrite]) -> None:
        await self._state.write(writes)

    async def items(self, owner: str, conversation_id: str) -> list[Item]:
        """All items, oldest first."""
        return [item for _, item in await self._rows(f"{conversation_key(owner, conversation_id)}/item/")]

    async def waiting(self, owner: str, conversation_id: str) -> list[tuple[str, Item]]:
        """The items that wait for the next turn, with the keys to delete once it took them."""
        return await self._rows(f"{conversation_key(owner, conversation_id)}/waiting/")

    async def delete_waiting(self, owner: str, conversation_id: str, item_id: str) -> bool:
        """Deletes an item that still waits; False if a turn took it already."""
        for key, item in await self.waiting(owner, conversation_id):
            if item["id"] == item_id:
                await self._state.write(
                    [StateWrite(key, None), StateWrite(key.replace("/waiting/", "/item/"), None)]
                )
                return True
        return False

    async def request(self, owner: str, conversation_id: str, request_id: str) -> Mapping[str, Any] | None:
        """A request for approval that some turn of the conversation left open, as core's content in JSON."""
        return await self._state.get(_request_key(owner, conversation_id, request_id))

    def requests(self, owner: str, conversation_id: str, requests: Mapping[str, Any]) -> list[StateWrite]:
        """The changes that keep requests, so that any later turn of the conversation may answer them (contract 6.8)."""
        return [
            StateWrite(_request_key(owner, conversation_id, request_id), request)
            for request_id, request in requests.items()
        ]

    async def _rows(self, prefix: str) -> list[tuple[str, Any]]:
        rows: list[tuple[str, Any]] = []
        while True:
            page = await self._state.scan(prefix, after=rows[-1][0] if rows else None, limit=PAGE)
            rows += page
            if len(page) < PAGE:
                return rows


def _request_key(owner: str, conversation_id: str, request_id: str) -> str:
    name = hashlib.sha256(request_id.encode()).hexdigest()
    return f"{conversation_key(owner, conversation_id)}/request/{name}"
