"""Channels that call the run hook themselves, or stand between it and the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import Caller, ChannelRequest, HookRejected, HostedRunResult
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant("hook-twice", kills={"HC-RUNHOOK-001": "calls of the hook for a turn: FAILED"})
class HookTwice(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        if self.run_hook is not None:
            self.run_hook(turn)
        return await super().run(turn, body)


@mutant(
    "hook-before-auth",
    kills={
        "HC-RUNHOOK-001": "calls of the hook for refused credentials: FAILED",
        "HC-AUTH-005": "missing: calls of the run hook: FAILED",
    },
)
class HookBeforeAuth(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        if self.run_hook is not None:
            self.run_hook(ChannelRequest(channel=self.name, input=""))
        return await super().authenticate(request)


class _BetweenHookAndHost(RpcChannel):
    """Wraps the app's hook in one of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.wrapped

    def wrapped(self, request: ChannelRequest) -> Any:
        return self.app_hook(request)


@mutant("no-await-hook", kills={"HC-RUNHOOK-002": "the input that a hook set, asynchronous: FAILED"})
class NoAwaitHook(_BetweenHookAndHost):
    def wrapped(self, request: ChannelRequest) -> Any:
        try:
            outcome = super().wrapped(request)
        except TypeError:
            return request
        if isinstance(outcome, ChannelRequest):
            return outcome
        outcome.close()
        return request


@mutant("hook-error-500", kills={"HC-RUNHOOK-004": "HookRejected: status: FAILED"})
class HookErrorAs500(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except HookRejected:
            body = {"error": {"message": "Internal error.", "code": "internal_error"}}
            return JsonAnswer(msgspec.json.encode(body), status=500)


@mutant("hook-error-swallowed", kills={"HC-RUNHOOK-004": "HookRejected: runs: FAILED"})
class HookErrorSwallowed(_BetweenHookAndHost):
    def wrapped(self, request: ChannelRequest) -> Any:
        try:
            return super().wrapped(request)
        except Exception as error:
            self.context.logger.warning("the run hook raised %s", type(error).__name__)
            return request


@mutant("leaks-valueerror", kills={"HC-RUNHOOK-004": "ValueError: its text stays inside: FAILED"})
class LeaksValueError(_BetweenHookAndHost):
    def wrapped(self, request: ChannelRequest) -> Any:
        try:
            return super().wrapped(request)
        except ValueError as error:
            raise HookRejected(str(error)) from error


@mutant("hook-none-ok", kills={"HC-RUNHOOK-005": "runs after a hook returned None: FAILED"})
class HookNoneOk(_BetweenHookAndHost):
    def wrapped(self, request: ChannelRequest) -> Any:
        return super().wrapped(request) or request
