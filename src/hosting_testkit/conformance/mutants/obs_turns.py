"""Channels whose turns look other than they were in a trace."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Message
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from hosting import Caller, ChannelRequest, HostedRunResult, HostedStreamResult

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "warms-up",
    defect="has the target run once for nobody before each turn, so that it is warm",
    kills={"HC-OBS-001": "one-shot: spans of the turn: FAILED"},
)
class WarmsUp(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        nobodys = turn.replace(session=None, session_mode="disabled", delivery_id=None, response_id=None)
        await self.context.run(nobodys, protocol_request=body)
        return await super().run(turn, body)


@mutant(
    "nameless-operation",
    defect="does not say which operation of the protocol a turn is",
    kills={"HC-OBS-001": "one-shot: the operation: FAILED"},
)
class NamelessOperation(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        return super().parse(body, caller, headers).replace(operation="")


@mutant(
    "answers-with-the-first-piece",
    defect="answers with the first piece of the target's output, and leaves the rest",
    kills={
        "HC-OBS-001": "one-shot: channel and outcome: FAILED",
        "HC-OBS-002": "a whole turn: the outcome: FAILED",
    },
    answers=False,
)
class AnswersWithTheFirstPiece(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        said = ""
        async with aclosing(await self.context.run_stream(turn, protocol_request=body)) as stream:
            async for update in stream:
                said = update.text
                break
        response: AgentResponse[Any] = AgentResponse(messages=[Message("assistant", [said])])
        return HostedRunResult(response, response_id=stream.response_id)


class _InTheUpdateHook(RpcChannel):
    """Has a stream update hook of its own, for which the turn's span is current."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stream_update_hook = self.hook

    def hook(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        raise NotImplementedError


@mutant(
    "span-left-current",
    defect="makes a span for each update current and never takes it back",
    kills={"HC-OBS-001": "streamed: spans of the target below it: FAILED"},
)
class SpanLeftCurrent(_InTheUpdateHook):
    def hook(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        with trace.get_tracer("rpc").start_as_current_span("update") as span:
            pass
        otel.attach(trace.set_span_in_context(span))
        return update


@mutant(
    "error-until-proven",
    defect="marks the span of a stream as one of an error as long as it has not ended, and forgets that",
    kills={"HC-OBS-002": "a streamed turn: the span is one of an error: FAILED"},
)
class ErrorUntilProven(_InTheUpdateHook):
    def hook(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        trace.get_current_span().set_status(StatusCode.ERROR)
        return update


@mutant(
    "detaches-elsewhere",
    defect="takes its span back in another task than it made it current in",
    kills={"HC-OBS-002": "contexts that were left in another place than they were entered: FAILED"},
)
class DetachesElsewhere(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        with trace.get_tracer("rpc").start_as_current_span("render") as span:
            token = otel.attach(trace.set_span_in_context(span))
        try:
            async with aclosing(super().frames(stream)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            self.context.spawn(self.detach(token), name="detach")

    async def detach(self, token: Any) -> None:
        otel.detach(token)


@mutant(
    "text-in-span",
    defect="writes what was said into a span",
    kills={"HC-OBS-003": "spans that hold the text: FAILED"},
)
class TextInSpan(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        with trace.get_tracer("rpc").start_as_current_span("ask", attributes={"asked": str(turn.input)}):
            return await super().run(turn, body)
