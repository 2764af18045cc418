"""What the channel keeps: invocations, and the approval requests that they left open.

A key holds its owner, so what is foreign is simply not there: unknown, foreign and expired look alike (contract 6.12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from agent_framework import Content

from hosting import ChannelState, StateWrite

from .codec import Answer, cleaned


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRecord:
    """One stored invocation.

    Args:
        answer: The answer so far.
        http_status: How the request was answered, for a replay.
    """

    answer: Answer
    http_status: int = 200

    @property
    def ended(self) -> bool:
        return self.answer["status"] != "in_progress"


class InvocationRecords:
    """The records of one channel.

    Args:
        state: The channel's records in the host's store.
        ttl: Seconds that a record is kept; None for good.
    """

    def __init__(self, state: ChannelState, ttl: float | None) -> None:
        self._state = state
        self._ttl = ttl

    async def get(self, owner: str, invocation_id: str) -> InvocationRecord | None:
        value = await self._state.get(_key("invocation", owner, invocation_id))
        return None if value is None else InvocationRecord(**value)

    async def put(self, owner: str, record: InvocationRecord) -> None:
        await self._state.write([self.write(owner, record)])

    async def delete(self, owner: str, invocation_id: str) -> None:
        await self._state.delete(_key("invocation", owner, invocation_id))

    def write(self, owner: str, record: InvocationRecord) -> StateWrite:
        """The change that stores a record."""
        key = _key("invocation", owner, record.answer["invocation_id"])
        return StateWrite(key, asdict(record), self._ttl)

    def write_requests(
        self, owner: str, session_id: str, requests: Iterable[Content]
    ) -> Sequence[StateWrite]:
        """The changes that keep open approval requests, so that an answer needs to name their id only."""
        return [
            StateWrite(
                _key("request", owner, session_id, content.id or ""),
                cleaned(content.to_dict(exclude={"raw_representation"})),
                self._ttl,
            )
            for content in requests
            if content.type == "function_approval_request"
        ]

    async def request(self, owner: str, session_id: str, request_id: str) -> Content | None:
        """An approval request that the session asked; it may have been answered since."""
        value: dict[str, Any] | None = await self._state.get(_key("request", owner, session_id, request_id))
        return None if value is None else Content.from_dict(value)


def _key(kind: str, *parts: str) -> str:
    digest = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
    return f"{kind}/{digest}"
