"""What the channel keeps of responses and conversations, under keys made of owner and id.

A key holds its owner, so what is foreign is simply not there: unknown, foreign and expired look alike (contract 6.12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from hosting import ChannelState, StateWrite

from .codec import Item

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRecord:
    """One stored response.

    Args:
        response: The response object.
        input: The input items.
        session: Isolation key and key of its session, or None.
        parent_key: What a continuation forks from; None where there is nothing to continue from.
        requests: Approval requests that it left open, by id, as core's contents in JSON.
    """

    response: Mapping[str, Any]
    input: Sequence[Item] = ()
    session: Sequence[str | None] | None = None
    parent_key: str | None = None
    requests: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def write(self, owner: str, ttl: float | None) -> StateWrite:
        """The change that stores it."""
        return StateWrite(response_key(owner, self.response["id"]), self._fields(), ttl)

    def _fields(self) -> dict[str, Any]:
        """What `ResponseRecord(**fields)` takes; `dataclasses.asdict` would copy the whole response."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def response_key(owner: str, response_id: str) -> str:
    return f"response/{_digest(owner, response_id)}"


def conversation_key(owner: str, conversation_id: str) -> str:
    return f"conversation/{_digest(owner, conversation_id)}"


def _digest(owner: str, name: str) -> str:
    parts = msgspec.json.encode((owner, name.encode("utf-8", "surrogatepass")))
    return hashlib.sha256(parts).hexdigest()


class ResponseRecords:
    """The stored responses of all callers.

    Args:
        state: The channel's records.
        ttl: Seconds that a response is kept.
    """

    def __init__(self, state: ChannelState, ttl: float | None) -> None:
        self._state = state
        self.ttl = ttl

    async def get(self, owner: str, response_id: str) -> ResponseRecord | None:
        value = await self._state.get(response_key(owner, response_id))
        return None if value is None else ResponseRecord(**value)

    async def put(self, owner: str, record: ResponseRecord) -> None:
        await self._state.write([record.write(owner, self.ttl)])

    async def delete(self, owner: str, response_id: str) -> bool:
        return await self._state.delete(response_key(owner, response_id))

    async def find_item(self, owner: str, item_id: str) -> Item | None:
        """The item of that id; ids of items name their response (`codec.wire.item_id`)."""
        base = item_id.partition("_")[2].rpartition("_")[0]
        record = await self.get(owner, f"resp_{base}")
        if record is None:
            return None
        found = (item for item in (*record.response["output"], *record.input) if item.get("id") == item_id)
        return next(found, None)
