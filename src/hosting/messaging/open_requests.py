"""What a turn asked of a person, kept until it is answered (channels 0.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from agent_framework import Content

from ..channel import ChannelState
from ..results import StateWrite

DAY = 86_400.0

_MOST_BUTTON_BYTES = 48


class OpenRequests:
    """Approval requests by the one who was asked: nobody else can find one, and after its time nobody can.

    That a request is answered once is the host's doing (contract 6.6).

    Args:
        state: The channel's records.
        ttl: Seconds in which a request can be answered; None for good.
    """

    def __init__(self, state: ChannelState, *, ttl: float | None = DAY) -> None:
        self._state = state
        self._ttl = ttl

    def writes(self, owner: str, requests: Sequence[Content]) -> list[StateWrite]:
        """The records of what a turn asked `owner`; give them to the turn's `on_commit`."""
        return [
            StateWrite(
                _key(owner, str(request.id)), request.to_dict(exclude={"raw_representation"}), self._ttl
            )
            for request in requests
            if request.type == "function_approval_request"
        ]

    async def answer(self, owner: str, request_id: str, *, approved: bool) -> Content | None:
        """The input that answers a request, named by its id or its handle; None if `owner` was never asked, or the time is over."""
        found = await self._state.get(_key(owner, request_id))
        return None if found is None else Content.from_dict(found).to_function_approval_response(approved)


def handle_of(request_id: str) -> str:
    """A short name of a request, for buttons that carry few bytes; the handle of a handle is itself."""
    short = len(request_id.encode()) <= _MOST_BUTTON_BYTES
    return request_id if short else hashlib.sha256(request_id.encode()).hexdigest()[:_MOST_BUTTON_BYTES]


def _key(owner: str, request_id: str) -> str:
    return f"request/{hashlib.sha256(msgspec.json.encode((owner, handle_of(request_id)))).hexdigest()}"
