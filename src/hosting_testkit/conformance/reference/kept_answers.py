"""The answers that the reference RPC channel keeps, so that they can be asked for by their id (contract 7.3, 12.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hosting import (
    Caller,
    ChannelContext,
    ChannelRequest,
    OnCommit,
    StateWrite,
    TurnEnd,
    UnknownReference,
)

from .rpc_answers import RpcAnswers

Answer = dict[str, Any]
Conclude = Callable[[ChannelRequest, TurnEnd], Answer]

_DAY = 86_400.0
_OPEN = ("queued", "running")


class KeptAnswers(RpcAnswers):
    """The answers of one channel, under way and ended; an answer is found by its owner alone (contract 6.12).

    Args:
        context: The channel's way to the host.
        conclude: Renders the answer of a turn that ended.
    """

    def __init__(self, context: ChannelContext, conclude: Conclude) -> None:
        super().__init__(context)
        self._host = context
        self._conclude = conclude

    async def created(self, turn: ChannelRequest) -> None:
        """Keeps the answer of a turn that begins here, whatever becomes of its client."""
        await self._host.state().write([self.record(turn, begun(turn, "running"), host=self._host.host_id)])

    async def refused(self, turn: ChannelRequest) -> None:
        """Takes the record of `created` back: the client has not learned its id."""
        await self._host.state().delete(_key(turn))

    def begin(self, turn: ChannelRequest) -> OnCommit:
        """As `RpcAnswers.begin`; the end of the turn is kept with the whole answer."""
        noted = super().begin(turn)

        def records(end: TurnEnd, /) -> Sequence[StateWrite]:
            return [*noted(end), self.record(turn, self._conclude(turn, end), ttl=_DAY)]

        return records

    def record(
        self, turn: ChannelRequest, answer: Answer, *, host: str | None = None, ttl: float | None = None
    ) -> StateWrite:
        """The change that keeps an answer.

        Args:
            turn: The turn that it answers.
            answer: The answer as it stands.
            host: Where the turn runs, if it does not run in the background.
            ttl: Seconds that it is kept; None until it has ended.
        """
        return StateWrite(_key(turn), {"answer": answer, "host": host}, ttl)

    async def current(self, caller: Caller, response_id: str) -> Answer:
        """An answer as it stands now.

        Raises:
            UnknownReference: The caller has none of that id.
        """
        kept = await self._kept(caller, response_id)
        if kept["answer"]["status"] not in _OPEN:
            return kept["answer"]
        if kept["host"] is not None:
            lives = await self._host.host_lives(kept["host"])
            return kept["answer"] if lives else {**kept["answer"], "status": "failed"}
        status = (await self._host.get_continuation(response_id, caller=caller)).status
        if status in _OPEN:
            return {**kept["answer"], "status": status}
        ended: Answer = (await self._kept(caller, response_id))["answer"]  # kept with the end of the run
        return {**ended, "status": status}

    async def in_background(self, caller: Caller, response_id: str) -> bool:
        """Whether a run answers it that goes on by itself.

        Raises:
            UnknownReference: The caller has none of that id.
        """
        kept = await self._kept(caller, response_id)
        return kept["host"] is None and kept["answer"]["status"] in _OPEN

    async def _kept(self, caller: Caller, response_id: str) -> dict[str, Any]:
        found: dict[str, Any] | None = await self._host.state().get(_name(caller.id, response_id))
        if found is None:
            raise UnknownReference("There is no answer with this id.", param="id")
        return found


def begun(turn: ChannelRequest, status: str) -> Answer:
    """The answer of a turn that has said nothing yet."""
    return {"id": turn.response_id, "status": status, "items": []}


def is_open(answer: Mapping[str, Any]) -> bool:
    """Whether its run has not ended."""
    return answer["status"] in _OPEN


def _key(turn: ChannelRequest) -> str:
    return _name(turn.caller.id if turn.caller else "", turn.response_id or "")


def _name(owner: str, response_id: str) -> str:
    parts = msgspec.json.encode((owner, response_id.encode("utf-8", "surrogatepass")))
    return f"kept/{hashlib.sha256(parts).hexdigest()}"
