"""Which answers of the reference RPC channel are under way, and how the others ended: what its cancel needs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from hosting import ChannelContext, ChannelRequest, OnCommit, StateWrite, TurnEnd, UnknownReference
from hosting.messaging import OpenRequests

_DAY = 86_400.0


class RpcAnswers:
    """The answers of one channel; an answer is found by its owner alone (contract 6.12).

    Args:
        context: The channel's way to the host.
    """

    def __init__(self, context: ChannelContext) -> None:
        self.requests = OpenRequests(context.state())
        self._context = context
        self._running: dict[str, str] = {}  # response id -> owner

    def begin(self, turn: ChannelRequest) -> OnCommit:
        """Notes a turn as running; what it gives records the end, in the turn's own transaction."""
        owner, response_id = turn.caller.id if turn.caller else "", turn.response_id or ""
        self._running[response_id] = owner

        def records(end: TurnEnd, /) -> Sequence[StateWrite]:
            asked = end.result.requests if end.result else ()
            ended = StateWrite(_key(owner, response_id), end.status, _DAY)
            return [ended, *self.requests.writes(owner, asked)]

        return records

    def end(self, response_id: str | None) -> None:
        """Forgets that a turn runs."""
        self._running.pop(response_id or "", None)

    async def cancel(self, owner: str, response_id: str) -> str:
        """Cancels a turn if it runs; how it ended.

        Raises:
            UnknownReference: `owner` has no such answer.
        """
        if self._running.get(response_id) == owner:
            await self._context.cancel(response_id)
        status = await self._context.state().get(_key(owner, response_id))
        if status is None:
            raise UnknownReference("There is no answer with this id.", param="id")
        return status


def _key(owner: str, response_id: str) -> str:
    return f"answer/{hashlib.sha256(msgspec.json.encode((owner, response_id))).hexdigest()}"
