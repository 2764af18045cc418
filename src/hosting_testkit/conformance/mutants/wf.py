"""Channels that treat workflows as what they are not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import (
    Caller,
    ChannelSession,
    HostedRunResult,
    HostedStreamResult,
    RunFailed,
    UnprocessableInput,
)
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant("first-output-only", kills={"HC-WF-001": "outputs that are missing: FAILED"})
class FirstOutputOnly(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return super().items(result)[:1]


@mutant("wf-type-500", kills={"HC-WF-002": "the status of a mismatch: FAILED"})
class TypeMismatchAs500(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except UnprocessableInput:
            error = {"error": {"message": "Internal error.", "code": "internal_error"}}
            return JsonAnswer(msgspec.json.encode(error), status=500)


@mutant("leaks-wf-events", kills={"HC-WF-003": "texts of the stream: FAILED"})
class LeaksWorkflowEvents(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        yield self.frame("delta", {"id": stream.response_id, "n": 0, "item": 99, "text": "executor_invoked"})
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield frame


@mutant("wf-doubles-text", kills={"HC-WF-003": "how often the text is in the stream: FAILED"})
class DoublesText(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        folded = {"id": result.response_id, "n": 0, "item": 99, "text": "".join(items)}
        return self.frame("delta", folded) + super().done(result, items)


@mutant("wf-concurrent-crash", kills={"HC-WF-005": "who stands at the gate at the same time: FAILED"})
class ConcurrentCrash(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        return ChannelSession("everybody", key="workflow")


@mutant("wf-fail-200", kills={"HC-WF-007": "the status: FAILED"})
class FailureAs200(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except RunFailed:
            if self.context.target_info.kind != "workflow":
                raise
            answer = {"id": "resp_0", "status": "completed", "items": ["Done."]}
            return JsonAnswer(msgspec.json.encode(answer))
