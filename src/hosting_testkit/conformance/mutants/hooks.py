"""Channels that think they know better than the app's hooks."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from hosting import ChannelRequest, HostedRunResult, as_response
from hosting.messaging import text_items

from ..reference import RpcChannel
from .model import mutant


class _WrapsTheRunHook(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.wrapped

    async def wrapped(self, request: ChannelRequest) -> ChannelRequest:
        outcome = self.app_hook(request)
        hooked = await outcome if inspect.isawaitable(outcome) else outcome
        return self.taken(request, hooked)

    def taken(self, request: ChannelRequest, hooked: Any) -> ChannelRequest:
        raise NotImplementedError


@mutant("ignores-hook-result", kills={"HC-RUNHOOK-003": "the input that the hook set"})
class IgnoresHookResult(_WrapsTheRunHook):
    def taken(self, request: ChannelRequest, hooked: Any) -> ChannelRequest:
        return request


@mutant("hook-input-only", kills={"HC-RUNHOOK-003": "the options that the hook set"})
class HookInputOnly(_WrapsTheRunHook):
    def taken(self, request: ChannelRequest, hooked: Any) -> ChannelRequest:
        return request.replace(input=hooked.input)


@mutant(
    "hook-session-lost",
    defect="puts its own session back after the hook",
    kills={"HC-RUNHOOK-003": "the session that the hook set: FAILED"},
)
class HookSessionLost(_WrapsTheRunHook):
    def taken(self, request: ChannelRequest, hooked: Any) -> ChannelRequest:
        return hooked.replace(session=request.session)


@mutant(
    "hook-mode-lost",
    defect="puts its own session mode back after the hook",
    kills={"HC-RUNHOOK-003": "sessions under session_mode='disabled': FAILED"},
)
class HookModeLost(_WrapsTheRunHook):
    def taken(self, request: ChannelRequest, hooked: Any) -> ChannelRequest:
        return hooked.replace(session_mode=request.session_mode)


@mutant(
    "hook-misuse-mended",
    defect="puts back in silence what no hook may change",
    kills={"HC-RUNHOOK-003": "runs after the hook changed 'channel': FAILED"},
)
class HookMisuseMended(_WrapsTheRunHook):
    def taken(self, request: ChannelRequest, hooked: Any) -> ChannelRequest:
        return hooked.replace(channel=request.channel, delivery_id=request.delivery_id, caller=request.caller)


@mutant("resphook-ignored", kills={"HC-RESPHOOK-002": "the one-shot answer"})
class ResponseHookIgnored(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.response_hook
        self.kept: Sequence[str] = ()
        if self.app_hook is not None:
            self.response_hook = self.keep

    def keep(self, result: HostedRunResult[Any]) -> HostedRunResult[Any]:
        self.kept = text_items(as_response(result.result))
        return self.app_hook(result)

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return self.kept or super().items(result)


@mutant(
    "resphook-end-only",
    defect="streams the target's own events and keeps the hooked result for the end",
    kills={"HC-RESPHOOK-002": "the streamed answer: FAILED"},
)
class ResponseHookEndOnly(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stream_with_response_hook = True
