"""What the channel keeps: invocations, and the approval requests that they left open.

A key holds its owner, so what is foreign is simply not there: unknown, foreign and expired look alike (contract 6.12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from agent_framework import Content

from hosting import ChannelState, StateWrite

from .codec import Answer, AnswerEnd, cleaned, ended

_FOREGROUND, _BACKGROUND = "invocation", "background"
_UNDER_WAY = ("queued", "in_progress")
_CUT_OFF = AnswerEnd(
    status="failed",
    error={"code": "interrupted", "message": "The server stopped while this invocation was in progress."},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRecord:
    """One stored invocation.

    Args:
        answer: The answer so far.
        http_status: How the request was answered, for a replay.
        host: While it is in progress in the foreground, the host where it is.
        response_id: Likewise, what its turn answers under.
        run: Of a background invocation, the host's token.
    """

    answer: Answer
    http_status: int = 200
    host: str | None = None
    response_id: str | None = None
    run: str | None = None

    @property
    def ended(self) -> bool:
        return self.answer["status"] not in _UNDER_WAY


class InvocationRecords:
    """The records of one channel.

    Args:
        state: The channel's records in the host's store.
        ttl: Seconds that a record is kept; None for good.
        background_ttl: The same for background invocations, from their end on; the host keeps their events as long.
        host_lives: Says whether a host is there; what is in progress on one that is not was cut off.
    """

    def __init__(
        self,
        state: ChannelState,
        *,
        ttl: float | None,
        background_ttl: float,
        host_lives: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._state = state
        self._ttl = ttl
        self._background_ttl = background_ttl
        self._host_lives = host_lives

    async def get(self, owner: str, invocation_id: str) -> InvocationRecord | None:
        record = await self._load(owner, invocation_id)
        if record is None or not await self._lost(record):
            return record
        record = await self._load(owner, invocation_id)  # it may have ended just before its host did
        if record is None or record.ended:
            return record
        return InvocationRecord(answer=ended(record.answer, _CUT_OFF), http_status=500)

    async def background(self, owner: str, invocation_id: str) -> InvocationRecord | None:
        """A background invocation. Records of foreground requests that come too late with its id do not touch it."""
        return await self._read(_key(_BACKGROUND, owner, invocation_id))

    async def put(self, owner: str, record: InvocationRecord) -> None:
        await self._state.write([self.write(owner, record)])

    async def delete(self, owner: str, invocation_id: str) -> None:
        """Removes a foreground record."""
        await self._state.delete(_key(_FOREGROUND, owner, invocation_id))

    def write(self, owner: str, record: InvocationRecord) -> StateWrite:
        """The change that stores a record. One of a background invocation stays at least until that has ended."""
        kind, ttl = _FOREGROUND, self._ttl
        if record.run is not None:
            kind, ttl = _BACKGROUND, self._background_ttl if record.ended else None
        return StateWrite(_key(kind, owner, record.answer["invocation_id"]), asdict(record), ttl)

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

    async def _load(self, owner: str, invocation_id: str) -> InvocationRecord | None:
        record = await self._read(_key(_FOREGROUND, owner, invocation_id))
        return record or await self.background(owner, invocation_id)

    async def _read(self, key: str) -> InvocationRecord | None:
        value = await self._state.get(key)
        return None if value is None else msgspec.convert(value, InvocationRecord)

    async def _lost(self, record: InvocationRecord) -> bool:
        """Whether a foreground invocation has no host any more that would end it (contract 4.5)."""
        if record.ended or record.run is not None:
            return False
        return record.host is None or not await self._host_lives(record.host)


def _key(kind: str, *parts: str) -> str:
    digest = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
    return f"{kind}/{digest}"
