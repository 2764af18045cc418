"""Channels with ideas of their own about turns that come at once, or that may not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import (
    ChannelRequest,
    HostedRunResult,
    SessionRequired,
    TurnInProgress,
)
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "required-relaxed",
    defect="runs without a session where the app requires one",
    kills={"HC-SESS-006": "runs under 'required' without a key: FAILED"},
)
class RequiredRelaxed(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.relaxed

    def relaxed(self, request: ChannelRequest) -> ChannelRequest:
        hooked: ChannelRequest = self.app_hook(request)
        return hooked if hooked.session_mode != "required" else hooked.replace(session_mode="auto")


class _TellsAs(RpcChannel):
    """Tells one error with another status."""

    error: type[Exception]
    status: int

    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except self.error:
            told = {"error": {"message": "Try again.", "code": "unavailable"}}
            return JsonAnswer(msgspec.json.encode(told), status=self.status)


@mutant(
    "required-as-500",
    defect="tells a missing session as a failure of its own",
    kills={"HC-SESS-006": "the refusal under 'required' without a key: FAILED"},
)
class RequiredAs500(_TellsAs):
    error, status = SessionRequired, 500


@mutant(
    "busy-as-503",
    defect="tells a caller whose turn is refused that the server is away",
    kills={"HC-SESS-010": "the status of a second turn under 'reject': FAILED"},
)
class BusyAs503(_TellsAs):
    error, status = TurnInProgress, 503


@mutant(
    "busy-cancels",
    defect="cancels the turn under way when it refuses another",
    kills={"HC-SESS-010": "the answer of the first under 'reject': FAILED"},
)
class BusyCancels(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.under_way: set[str] = set()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        own = turn.response_id or ""
        self.under_way.add(own)
        try:
            return await super().run(turn, body)
        except TurnInProgress:
            for other in self.under_way - {own}:
                await self.context.cancel(other)
            raise
        finally:
            self.under_way.discard(own)


@mutant(
    "busy-without-session",
    defect="runs a turn without its session when the session is busy",
    kills={"HC-SESS-010": "runs at once: FAILED"},
)
class BusyWithoutSession(RpcChannel):
    running = 0

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        busy = turn.replace(session=None, session_mode="disabled") if self.running else turn
        self.running += 1
        try:
            return await super().run(busy, body)
        finally:
            self.running -= 1


@mutant(
    "answer-of-another",
    defect="gives a turn that had to wait the answer of the one before it",
    kills={"HC-SESS-010": "answers of the queued turns: FAILED"},
)
class AnswerOfAnother(RpcChannel):
    running = 0
    answered: HostedRunResult[Any] | None = None

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        waits = self.running > 0
        self.running += 1
        try:
            result = await super().run(turn, body)
        finally:
            self.running -= 1
        before, self.answered = self.answered, result
        return before if waits and before else result
