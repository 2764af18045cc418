"""Channels that tell a refusal of the run hook wrongly, or never get over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import ChannelRequest, Denied, HookRejected, HostedRunResult, HostingError
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


class _TellsByItself(RpcChannel):
    """Answers a failed turn itself."""

    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except HostingError as error:
            told = {"code": error.code, "message": self.message(error)}
            return JsonAnswer(msgspec.json.encode({"error": told}), status=error.status)

    def message(self, error: HostingError) -> str:
        raise NotImplementedError


@mutant(
    "refusal-unsaid",
    defect="answers a failed turn with its status and no word",
    kills={
        "HC-RUNHOOK-004": "HookRejected: something is told: FAILED",
        "HC-RUNHOOK-005": "something is told after None: FAILED",
    },
)
class RefusalUnsaid(_TellsByItself):
    def message(self, error: HostingError) -> str:
        return ""


@mutant(
    "refusal-without-reason",
    defect="keeps the public message of a refusal to itself",
    kills={"HC-RUNHOOK-004": "HookRejected: the public message is told: FAILED"},
)
class RefusalWithoutReason(_TellsByItself):
    def message(self, error: HostingError) -> str:
        return "The request was refused."


@mutant(
    "refused-for-good",
    defect="lets nobody in again whose turn has failed once",
    kills={
        "HC-RUNHOOK-004": "HookRejected: the next turn: FAILED",
        "HC-RUNHOOK-005": "the next turn after None: FAILED",
    },
)
class RefusedForGood(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.banned: set[str] = set()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        person = turn.caller.id if turn.caller else ""
        if person in self.banned:
            raise Denied("You were refused before.")
        try:
            return await super().run(turn, body)
        except HostingError:
            self.banned.add(person)
            raise


@mutant(
    "hook-none-refuses",
    defect="takes a hook that returns nothing for one that refuses",
    kills={"HC-RUNHOOK-005": "the log names what was expected in place of None: FAILED"},
)
class HookNoneRefuses(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.wrapped

    def wrapped(self, request: ChannelRequest) -> Any:
        hooked = self.app_hook(request)
        if hooked is None:
            raise HookRejected("The request was refused.")
        return hooked
