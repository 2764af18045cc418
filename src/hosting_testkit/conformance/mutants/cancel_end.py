"""Channels that keep what has to end, and end what has to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from hosting import ChannelRequest, HostedRunResult, InboundEvent, PushContext, RunFailed, RunTimeout
from hosting.web import JsonAnswer, read_body

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant("no-timeout", kills={"HC-CANCEL-009": "one-shot: the failure is told and the response ends: FAILED"})
class NoTimeout(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except RunTimeout:
            await asyncio.sleep(600)  # it may come yet
            raise


@mutant(
    "time-limit-of-its-own",
    defect="gives a run a minute, whatever the operator allows",
    kills={"HC-CANCEL-009": "one-shot: a run of 500 s is answered: FAILED"},
)
class TimeLimitOfItsOwn(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        async with asyncio.timeout(60):
            return await super().run(turn, body)


@mutant("run-in-request", kills={"HC-CANCEL-010": "runs under way after the connection was closed"})
class RunInRequest(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        raw = await read_body(request, self.context.limits.body_limit(2**20))
        self.authenticate(raw, request.headers)
        event = self.parse(self.decode(raw))
        if isinstance(event, InboundEvent):
            turn = self.request(event)
            result = await self.run(turn, event)
            context = PushContext(delivery_id=event.delivery_id)
            await self.push(turn.destination, result, context=context)
        return JsonAnswer(b'{"ok":true}')


@mutant(
    "reply-in-request",
    defect="runs apart from the request, and sends the reply from the request",
    kills={"HC-CANCEL-010": "replies after the connection was closed, ASGI 2.3: FAILED"},
)
class ReplyInRequest(RunInRequest):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        return await asyncio.shield(self.context.spawn(super().run(request, event), name="run"))


@mutant("stop-in-lane", kills={"HC-CANCEL-011": "runs under way after the cancellation: FAILED"})
class StopInLane(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return replace(event, bypass_lane=False) if isinstance(event, InboundEvent) else event


@mutant(
    "loud-stop-in-lane",
    defect="knows the command that does not queue by its letters, and not by its name",
    kills={"HC-CANCEL-011": "runs under way after the cancellation, form upper: FAILED"},
)
class LoudStopInLane(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if isinstance(event, Ignored) or not event.bypass_lane:
            return event
        return replace(event, bypass_lane=self.text(payload).split()[:1] == ["/stop"])


@mutant(
    "cancels-the-queue",
    defect="cancels what waits together with what runs",
    kills={"HC-CANCEL-011": "the second turn follows, from before the first: FAILED"},
)
class CancelsTheQueue(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.waiting: set[asyncio.Task[Any]] = set()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        task = asyncio.ensure_future(super().run(turn, body))
        self.waiting.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            raise RunFailed("none") from None

    async def cancel(self, request: Request) -> JsonAnswer:
        for task in self.waiting:
            task.cancel()
        return await super().cancel(request)
