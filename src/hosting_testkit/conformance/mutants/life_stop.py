"""Channels that start by halves, or do not stop as they should."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx
from starlette.requests import Request
from starlette.websockets import WebSocket

from hosting import (
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    HostedRunResult,
    HostedStreamResult,
    HostingError,
    NotReady,
    RunFailed,
)
from hosting.web import JsonAnswer

from ..reference import BotChannel, RpcChannel, SocketRpcChannel
from .model import mutant


@mutant("double-shutdown", kills={"HC-LIFE-002": "shutdown callbacks that raised beside others: FAILED"})
class DoubleShutdown(BotChannel):
    stopped = False

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), on_shutdown=[self.stop, self.stop])

    async def stop(self) -> None:
        if self.stopped:
            raise RuntimeError("stopped already")
        self.stopped = True
        await super().stop()


@mutant(
    "skips-on-peer-failure",
    kills={"HC-LIFE-002": "shutdown callbacks that raised beside a channel that cannot stop: FAILED"},
)
class SkipsOnPeerFailure(BotChannel):
    """Knows of the others from the host's log."""

    alone = True

    async def start(self) -> None:
        await super().start()
        self.context.logger.addFilter(self.hears)

    def hears(self, record: logging.LogRecord) -> bool:
        self.alone = self.alone and "shutdown callback failed" not in record.msg
        return True

    async def stop(self) -> None:
        self.context.logger.removeFilter(self.hears)
        if not self.alone:
            raise RuntimeError("the other channel still has the connection")
        await super().stop()


@mutant("swallowed-startup", kills={"HC-LIFE-003": "a turn after a start without the platform: FAILED"})
class SwallowedStartup(BotChannel):
    async def start(self) -> None:
        try:
            if self.given is not None:
                await self.given.get("/me")
        except httpx.HTTPError:
            self.context.logger.warning("the platform is away")
            return
        await super().start()


@mutant("start-fail-leak", kills={"HC-LIFE-003": "left over after a failed start: FAILED"})
class StartFailLeak(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.poller = asyncio.create_task(asyncio.sleep(3600), name="poller")

    async def stop(self) -> None:
        if self.context.draining.is_set():  # as at every good end
            self.poller.cancel()
        await super().stop()


@mutant("hang-shutdown", kills={"HC-LIFE-004": "the shutdown did not end"})
class HangShutdown(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.idle = asyncio.Event()
        self.idle.set()
        return replace(super().contribute(context), on_shutdown=[self.finish])

    async def run(self, turn: ChannelRequest, body: Any) -> HostedRunResult[Any]:
        self.idle.clear()
        result = await super().run(turn, body)
        self.idle.set()
        return result

    async def finish(self) -> None:
        await self.idle.wait()


@mutant(
    "slow-shutdown",
    defect="waits half a minute at its stop, should somebody still want an answer",
    kills={"HC-LIFE-004": "one-shot: seconds of the shutdown: FAILED"},
)
class SlowShutdown(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), on_shutdown=[self.finish])

    async def finish(self) -> None:
        await asyncio.sleep(30)


@mutant(
    "hangs-up-at-shutdown",
    defect="closes the connection of a turn that the shutdown cuts off, without a word",
    kills={"HC-LIFE-004": "one-shot: the answer has ended: FAILED"},
)
class HangsUpAtShutdown(SocketRpcChannel):
    async def tell(self, websocket: WebSocket, error: HostingError) -> None:
        if error.code == "shutting_down":
            await self.hang_up(websocket)
        else:
            await super().tell(websocket, error)


@mutant(
    "shutdown-is-a-failure",
    defect="tells a turn that the shutdown cuts off like one that failed",
    kills={"HC-LIFE-004": "one-shot: the code of the failure: FAILED"},
)
class ShutdownIsAFailure(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Any) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except RunFailed as failure:
            raise RunFailed(failure.error_id) from failure


@mutant("accepts-while-draining", kills={"HC-LIFE-011": "status of a new turn while the host drains: FAILED"})
class AcceptsWhileDraining(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        try:
            return await super().receive(request)
        except NotReady:
            return JsonAnswer(b'{"ok":true}')


@mutant(
    "no-retry-after",
    defect="answers 503 without saying when to come again",
    kills={"HC-LIFE-011": "Retry-After while the host drains: FAILED"},
)
class NoRetryAfter(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        try:
            return await super().receive(request)
        except NotReady:
            return JsonAnswer(b"{}", status=503)


@mutant(
    "stores-refused-as-seen",
    defect="stores an event as seen before the host has taken it",
    kills={"HC-LIFE-011": "a new turn after a restart: FAILED"},
)
class StoresRefusedAsSeen(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        seen, key = self.context.state("seen"), str(payload.get("id"))
        if await seen.get(key) is None:
            await seen.put(key, True)
            await super().take(payload)


@mutant("drain-cuts-streams", kills={"HC-LIFE-011": "the open turn goes on to its end: FAILED"})
class DrainCutsStreams(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        cutting = self.context.spawn(self.cut(stream), name="cut")
        try:
            async with aclosing(super().frames(stream)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            cutting.cancel()

    async def cut(self, stream: HostedStreamResult) -> None:
        await self.context.draining.wait()
        await stream.aclose()
