"""Channels that break the trace of a turn, or leave spans open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from contextvars import Context
from typing import Any

from opentelemetry import trace

from hosting import ChannelRequest, HostedRunResult, HostedStreamResult

from ..reference import RpcChannel
from .model import mutant


@mutant("orphan-span", kills={"HC-OBS-001": "one-shot: the span's parent: FAILED"})
class OrphanSpan(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        loop = asyncio.get_running_loop()
        return await loop.create_task(super().run(turn, body), context=Context())


@mutant("stream-detached", kills={"HC-OBS-001": "streamed: the span's parent: FAILED"})
class StreamDetached(RpcChannel):
    async def open(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedStreamResult:
        loop = asyncio.get_running_loop()
        return await loop.create_task(super().open(turn, body), context=Context())


@mutant(
    "span-leak",
    kills={"HC-OBS-002": "a client that leaves after 1 pieces: spans that did not end once: FAILED"},
)
class SpanLeak(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        span = trace.get_tracer("rpc").start_span("render")
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield frame
        span.end()


@mutant(
    "current-across-yield",
    defect="holds a span current while it waits for its reader",
    kills={"HC-OBS-002": "turns that were current while the answer was sent: FAILED"},
)
class CurrentAcrossYield(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            with trace.get_tracer("rpc").start_as_current_span("render"):
                async for frame in frames:
                    yield frame
