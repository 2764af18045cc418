"""Channels that come between the response hook and what is rendered."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent_framework import AgentResponse, Message

from hosting import ChannelResponseContext, HostedRunResult

from ..reference import RpcChannel
from .model import mutant


class BetweenHookAndHost(RpcChannel):
    """Wraps the app's hook in one of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.response_hook
        if self.app_hook is not None:
            self.response_hook = self.wrapped

    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        given = {"context": context} if "context" in inspect.signature(self.app_hook).parameters else {}
        return self.app_hook(result, **given)


@mutant("resphook-text-only", kills={"HC-RESPHOOK-001": "contents that the hook saw of a turn: FAILED"})
class ResponseHookTextOnly(BetweenHookAndHost):
    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        flat: AgentResponse[Any] = AgentResponse(messages=[Message("assistant", [result.text])])
        return super().wrapped(result.replace(result=flat), context=context)


@mutant(
    "resphook-as-echo",
    defect="tells the hook of an answer as if it were an echo of another channel's",
    kills={"HC-RESPHOOK-001": "channel, destination and origin in the context of a turn: FAILED"},
)
class ResponseHookAsEcho(BetweenHookAndHost):
    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        return super().wrapped(result, context=replace(context, originating=False))


@mutant(
    "resphook-request-lost",
    defect="hands the hook a context whose request is empty",
    kills={"HC-RESPHOOK-001": "the request in the context of a turn: FAILED"},
)
class ResponseHookRequestLost(BetweenHookAndHost):
    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        return super().wrapped(result, context=replace(context, request=context.request.replace(input="")))


@mutant("resphook-twice", kills={"HC-RESPHOOK-001": "calls of the hook for a turn: FAILED"})
class ResponseHookTwice(BetweenHookAndHost):
    context_of_hook: ChannelResponseContext | None = None

    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        self.context_of_hook = context
        return super().wrapped(result, context=context)

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        if self.context_of_hook is not None:
            result = super().wrapped(result, context=self.context_of_hook)
        return super().items(result)


@mutant("resphook-partial", kills={"HC-RESPHOOK-004": "streamed: nothing of the output is shown: FAILED"})
class ResponseHookPartial(RpcChannel):
    """Streams what the target says although a response hook is to be heard first."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stream_with_response_hook = True
