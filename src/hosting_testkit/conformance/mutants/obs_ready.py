"""Channels that answer the readiness probe themselves, and get it wrong."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hosting import (
    ChannelRequest,
    Destination,
    HostedRunResult,
    InboundEvent,
    PushContext,
    PushReceipt,
    PushRetryable,
    RunFailed,
)
from hosting.web import JsonAnswer

from ..reference import BotChannel
from .model import mutant


class _OwnProbe(BotChannel):
    """Puts a probe of its own before the host's, through the application that a request knows."""

    away = False

    async def receive(self, request: Request) -> JsonAnswer:
        routes = request.app.router.routes
        if not any(getattr(route, "endpoint", None) == self.probe for route in routes):
            routes.insert(0, Route("/readiness", self.probe))
        return await super().receive(request)

    async def probe(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("", status_code=503 if self.away else 200)


@mutant("readiness-flap", kills={"HC-OBS-005": "readiness while the platform is away: FAILED"})
class ReadinessFlap(_OwnProbe):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        self.away = True
        receipt = await super().push(destination, payload, context=context)
        self.away = False
        return receipt


@mutant(
    "unready-after-work",
    defect="says that it is not ready once it has had something to do",
    kills={"HC-OBS-005": "readiness after a turn: FAILED"},
)
class UnreadyAfterWork(_OwnProbe):
    async def process(self, event: InboundEvent, /) -> None:
        self.away = True
        await super().process(event)


@mutant(
    "unready-after-a-failure",
    defect="says that it is not ready after a turn that failed, until one has gone well",
    kills={"HC-OBS-005": "readiness after a turn that failed: FAILED"},
)
class UnreadyAfterAFailure(_OwnProbe):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            result = await super().run(request, event)
        except RunFailed:
            self.away = True
            raise
        self.away = False
        return result


@mutant(
    "unready-for-good",
    defect="says that it is not ready once the platform was away, and never takes it back",
    kills={"HC-OBS-005": "readiness when the platform is back: FAILED"},
)
class UnreadyForGood(_OwnProbe):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        try:
            return await super().push(destination, payload, context=context)
        except PushRetryable:
            self.away = True
            raise
