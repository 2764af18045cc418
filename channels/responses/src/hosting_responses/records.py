"""What the channel keeps of responses and conversations, under keys made of owner and id.

A key holds its owner, so what is foreign is simply not there: unknown, foreign and expired look alike (contract 6.12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import msgspec

from hosting import ChannelState, RunFailed, StateWrite

from .codec import Item
from .errors import response_error

PAGE = 100

_CUT_OFF = RunFailed(
    "", code="interrupted", message="The server stopped while this response was under way; ask again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRecord:
    """One stored response.

    Args:
        response: The response object.
        input: The input items.
        session: Isolation key and key of its session, or None.
        parent_key: What a continuation forks from; None where there is nothing to continue from.
        requests: Approval requests that it left open, by id, as core's contents in JSON.
        host: While it is under way in the foreground, the host where it is.
        plan: While it is under way in the background, what its end needs to know (`ResponseTurn.resumed`).
        include: What a background response was asked to include, for whoever reads it again.
        logged: Whether its events can be read again.
        forked_from: While it is under way, what its own session forked from.
    """

    response: Mapping[str, Any]
    input: Sequence[Item] = ()
    session: Sequence[str | None] | None = None
    parent_key: str | None = None
    requests: Mapping[str, Any] = field(default_factory=dict[str, Any])
    host: str | None = None
    plan: Mapping[str, Any] | None = None
    include: Sequence[str] = ()
    logged: bool = False
    forked_from: str | None = None

    def write(self, owner: str, ttl: float | None) -> StateWrite:
        """The change that stores it."""
        return StateWrite(response_key(owner, self.response["id"]), self._fields(), ttl)

    def cut_off(self) -> ResponseRecord:
        """The record of a response whose process died: it failed, and what continues it goes on where it did."""
        response = {**self.response, "status": "failed", "error": response_error(_CUT_OFF)}
        return replace(
            self, response=response, parent_key=self.forked_from, host=None, plan=None, forked_from=None
        )

    def _fields(self) -> dict[str, Any]:
        """What `ResponseRecord(**fields)` takes; `dataclasses.asdict` would copy the whole response."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS = tuple(item.name for item in fields(ResponseRecord))


def response_key(owner: str, response_id: str) -> str:
    """Begins as the id does, with the time: records that are new stand together in the store's index."""
    stem = response_id[5:17]
    return f"response/{stem if stem.isascii() and stem.isalnum() else ''}.{_digest(owner, response_id)}"


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
        host_lives: Says whether a host is there; what is under way on one that is not was cut off.
    """

    def __init__(
        self, state: ChannelState, ttl: float | None, *, host_lives: Callable[[str], Awaitable[bool]]
    ) -> None:
        self._state = state
        self._host_lives = host_lives
        self.ttl = ttl

    async def get(self, owner: str, response_id: str) -> ResponseRecord | None:
        record = await self._stored(owner, response_id)
        if record is None or record.host is None or await self._host_lives(record.host):
            return record
        last = await self._stored(owner, response_id)  # it may have ended just before its host
        return last.cut_off() if last is not None and last.host is not None else last

    async def _stored(self, owner: str, response_id: str) -> ResponseRecord | None:
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
