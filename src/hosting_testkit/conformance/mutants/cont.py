"""Channels that get their background runs wrong: how they begin, what they say of them, how they end."""

from __future__ import annotations

import base64
import itertools
import os
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import Caller, ChannelContext, ChannelContribution, ChannelRequest, TurnEnd
from hosting.web import JsonAnswer

from ..reference import BackgroundRpcChannel
from ..reference.kept_answers import Answer, KeptAnswers
from .model import mutant


@mutant("bg-waits", kills={"HC-CONT-001": "an answer while the target is held: FAILED"})
class BackgroundWaits(BackgroundRpcChannel):
    async def begin(self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller) -> Answer:
        return await self.ended(caller, (await super().begin(turn, body, caller))["id"])


class _OwnIds(BackgroundRpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(response_id=self.own_id(turn))

    def own_id(self, turn: ChannelRequest) -> str:
        raise NotImplementedError


@mutant(
    "sequential-ids", kills={"HC-CONT-001": "pairs of tokens that differ in fewer than 10 places: FAILED"}
)
class SequentialIds(_OwnIds):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.count = itertools.count(1)
        return super().contribute(context)

    def own_id(self, turn: ChannelRequest) -> str:
        return f"resp_{next(self.count)}"


@mutant(
    "telling-token",
    defect="puts the session into the token, so that it need not be looked up",
    kills={"HC-CONT-001": "what the token gives away: FAILED"},
)
class TellingToken(_OwnIds):
    def own_id(self, turn: ChannelRequest) -> str:
        place = msgspec.json.encode([turn.session.key if turn.session else None])
        return f"{turn.response_id}.{base64.urlsafe_b64encode(place).decode().rstrip('=')}"


@mutant(
    "token-in-base64",
    defect="writes tokens in base64 as it stands in the books, with '=' at the end",
    kills={"HC-CONT-001": "tokens that need quoting in a URL: FAILED"},
)
class TokenInBase64(_OwnIds):
    def own_id(self, turn: ChannelRequest) -> str:
        return base64.b64encode(os.urandom(32), altchars=b"-_").decode()


class _Told(KeptAnswers):
    """Tells something else than what is kept."""

    async def current(self, caller: Caller, response_id: str) -> Answer:
        return self.tell(await super().current(caller, response_id))

    def tell(self, answer: Answer) -> Answer:
        raise NotImplementedError


class _QueuedUntilItEnds(_Told):
    def tell(self, answer: Answer) -> Answer:
        return {**answer, "status": "queued"} if answer["status"] == "running" else answer


@mutant(
    "queued-until-it-ends",
    defect="learns of a run only when it has ended",
    kills={"HC-CONT-002": "a run that is under way: FAILED"},
)
class QueuedUntilItEnds(BackgroundRpcChannel):
    kept_class = _QueuedUntilItEnds


class _RunningAtOnce(_Told):
    def tell(self, answer: Answer) -> Answer:
        return {**answer, "status": "running"} if answer["status"] == "queued" else answer


@mutant(
    "running-at-once",
    defect="calls a run under way that has not begun",
    kills={"HC-CONT-002": "a run that waits behind it: FAILED"},
)
class RunningAtOnce(BackgroundRpcChannel):
    kept_class = _RunningAtOnce


class _NeverCompleted(_Told):
    def tell(self, answer: Answer) -> Answer:
        return {**answer, "status": "running"} if answer["status"] == "completed" else answer


@mutant(
    "done-but-running",
    defect="keeps the result of a run and forgets to say that it has ended",
    kills={"HC-CONT-002": "the end of a run that answers: FAILED"},
)
class DoneButRunning(BackgroundRpcChannel):
    kept_class = _NeverCompleted


class _WithoutItems(_Told):
    def tell(self, answer: Answer) -> Answer:
        return {**answer, "items": []}


@mutant(
    "status-without-result",
    defect="tells how a run ended and not what it came to",
    kills={"HC-CONT-002": "its result: FAILED"},
)
class StatusWithoutResult(BackgroundRpcChannel):
    kept_class = _WithoutItems


class _Regressing(_Told):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.told: set[str] = set()

    def tell(self, answer: Answer) -> Answer:
        if answer["status"] == "completed" and answer["id"] in self.told:
            return {**answer, "status": "running"}
        self.told |= {answer["id"]} if answer["status"] == "completed" else set()
        return answer


_LATER = "the same run later, when somebody has tried to cancel it: FAILED"


@mutant("status-regress", kills={"HC-CONT-002": _LATER})
class StatusRegress(BackgroundRpcChannel):
    kept_class = _Regressing


class _Cancelling(BackgroundRpcChannel):
    """Notes cancellations itself."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.cancelled: set[str] = set()
        return super().contribute(context)

    async def cancel(self, request: Request) -> JsonAnswer:
        answer = await super().cancel(request)
        self.cancelled.add(request.path_params["id"])
        return answer

    async def retrieve(self, request: Request) -> JsonAnswer:
        caller, response_id = await self.authenticate(request), request.path_params["id"]
        answer = await self.kept.current(caller, response_id)
        status = {"status": "cancelled"} if response_id in self.cancelled else {}
        return JsonAnswer(msgspec.json.encode({**answer, **status}))


@mutant(
    "cancels-what-ended",
    defect="calls a run cancelled that had completed before",
    kills={"HC-CONT-002": _LATER},
)
class CancelsWhatEnded(_Cancelling):
    """As it is."""


@mutant(
    "cancels-the-record",
    defect="notes that a run was cancelled and lets it go on",
    kills={"HC-CONT-002": "runs under way after their cancellation: FAILED"},
)
class CancelsTheRecord(_Cancelling):
    async def end_run(self, caller: Caller, response_id: str) -> None:
        return


class _Ending(BackgroundRpcChannel):
    """Keeps another end than there was."""

    def conclude(self, turn: ChannelRequest, end: TurnEnd, items: Sequence[str] = ()) -> Answer:
        return self.ends(super().conclude(turn, end, items))

    def ends(self, answer: Answer) -> Answer:
        raise NotImplementedError


@mutant(
    "cancelled-is-failed",
    defect="tells a cancelled run as a failed one",
    kills={"HC-CONT-002": "the end of a run that was cancelled: FAILED"},
)
class CancelledIsFailed(_Ending):
    def ends(self, answer: Answer) -> Answer:
        return {**answer, "status": "failed"} if answer["status"] == "cancelled" else answer


@mutant(
    "whatever-ends-is-completed",
    defect="calls a run completed however it ended",
    kills={"HC-CONT-002": "the end of a run that should be incomplete: FAILED"},
)
class WhateverEndsIsCompleted(_Ending):
    def ends(self, answer: Answer) -> Answer:
        return {**answer, "status": "completed"}


@mutant(
    "fails-without-a-word",
    defect="says that a run failed, and nothing of why",
    kills={"HC-CONT-002": "a word of the failure: FAILED"},
)
class FailsWithoutAWord(_Ending):
    def ends(self, answer: Answer) -> Answer:
        return {name: value for name, value in answer.items() if name != "error"}


@mutant("leaks-exception", kills={"HC-CONT-002": "what the failure gives away: FAILED"})
class LeaksExceptionLater(BackgroundRpcChannel):
    def told(self, error: BaseException | None) -> dict[str, str]:
        return {"code": "internal_error", "message": traceback.format_exc()}
