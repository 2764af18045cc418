"""Channels that say too much of other people's tokens, or keep results for another time than they should."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    Denied,
    HostingError,
    LoggedUpdates,
    UnknownReference,
)
from hosting.web import JsonAnswer

from ..reference import BackgroundRpcChannel
from ..reference.kept_answers import Answer, KeptAnswers, is_open
from .model import mutant


class _Owners(KeptAnswers):
    """Remembers whose each answer is."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.owners: dict[str, Caller] = {}

    async def current(self, caller: Caller, response_id: str) -> Answer:
        try:
            answer = await super().current(caller, response_id)
        except UnknownReference:
            return self.missing(caller, response_id)
        self.owners[response_id] = caller
        return answer

    def missing(self, caller: Caller, response_id: str) -> Answer:
        raise UnknownReference("There is no answer with this id.", param="id")


class _Oracle(_Owners):
    def missing(self, caller: Caller, response_id: str) -> Answer:
        if self.owners.get(response_id, caller) != caller:
            raise Denied("This answer is somebody else's.")
        return super().missing(caller, response_id)


@mutant("token-oracle", kills={"HC-CONT-003": "polled: somebody else's token beside an unknown one: FAILED"})
class TokenOracle(BackgroundRpcChannel):
    kept_class = _Oracle


class _IsGone(HostingError):
    status = 410
    code = "gone"


class _Gone(_Owners):
    def missing(self, caller: Caller, response_id: str) -> Answer:
        if self.owners.get(response_id) == caller:
            raise _IsGone("This answer is no longer kept.")
        return super().missing(caller, response_id)


@mutant(
    "expired-is-gone",
    defect="tells expired tokens from unknown ones, with 410",
    kills={"HC-CONT-003": "polled: an expired token beside an unknown one: FAILED"},
)
class ExpiredIsGone(BackgroundRpcChannel):
    kept_class = _Gone


class _Patient(_Owners):
    def missing(self, caller: Caller, response_id: str) -> Answer:
        return {"id": response_id, "status": "queued", "items": []}


@mutant(
    "unknown-is-queued",
    defect="takes a run that it does not find for one that is not there yet",
    kills={"HC-CONT-003": "polled: an unknown token: FAILED"},
)
class UnknownIsQueued(BackgroundRpcChannel):
    kept_class = _Patient


class _Hasty(_Owners):
    def missing(self, caller: Caller, response_id: str) -> Answer:
        raise KeyError(response_id)


@mutant(
    "breaks-at-unknown-tokens",
    defect="looks a token up without a thought that it may not be there",
    kills={"HC-CONT-003": "polled: an unknown token: FAILED"},
)
class BreaksAtUnknownTokens(BackgroundRpcChannel):
    kept_class = _Hasty


@mutant(
    "cancels-for-anybody",
    defect="cancels a run before it asks whose it is",
    kills={"HC-CONT-003": "runs under way after a stranger's cancellation: FAILED"},
)
class CancelsForAnybody(BackgroundRpcChannel):
    kept_class = _Owners

    async def cancel(self, request: Request) -> JsonAnswer:
        assert isinstance(self.kept, _Owners)
        owner = self.kept.owners.get(request.path_params["id"])
        if owner and await self.kept.in_background(owner, request.path_params["id"]):
            await self.end_run(owner, request.path_params["id"])
        return await super().cancel(request)


@mutant("never-expires", kills={"HC-CONT-004": "by default: what is left of it afterwards: FAILED"})
class NeverExpires(BackgroundRpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.cache: dict[tuple[str, str], Answer] = {}
        return super().contribute(context)

    async def retrieve(self, request: Request) -> JsonAnswer:
        caller = await self.authenticate(request)
        key = (caller.id, request.path_params["id"])
        if key not in self.cache:
            answer = await self.kept.current(caller, key[1])
            if is_open(answer):
                return JsonAnswer(msgspec.json.encode(answer))
            self.cache[key] = answer
        return JsonAnswer(msgspec.json.encode(self.cache[key]))


@mutant(
    "counts-from-the-question",
    defect="keeps a result for a time that begins when it was asked for",
    kills={"HC-CONT-004": "as limited: the result before its time is over: FAILED"},
)
class CountsFromTheQuestion(BackgroundRpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.asked: dict[str | None, float] = {}
        return super().contribute(context)

    async def begin(self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller) -> Answer:
        self.asked[turn.response_id] = self.context.time_source.now()
        return await super().begin(turn, body, caller)

    def kept_for(self, turn: ChannelRequest) -> float:
        gone = self.context.time_source.now() - self.asked[turn.response_id]
        return max(super().kept_for(turn) - gone, 1.0)


@mutant(
    "forgets-events-at-the-end",
    defect="answers who reads the events of a run that has ended with an empty stream",
    kills={
        "HC-CONT-004": "by default: its events: whole, or refused: FAILED",
        "HC-CANCEL-013": "the events of a run that went on: FAILED",
    },
)
class ForgetsEventsAtTheEnd(BackgroundRpcChannel):
    async def logged(
        self, entries: AsyncGenerator[LoggedUpdates], caller: Caller, response_id: str, after: int
    ) -> AsyncGenerator[bytes]:
        if is_open(await self.kept.current(caller, response_id)):
            async for frame in super().logged(entries, caller, response_id, after):
                yield frame
