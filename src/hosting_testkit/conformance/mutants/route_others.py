"""Channels that reach beyond their own addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hosting import ChannelContext, ChannelContribution, ChannelRequest, HostedRunResult
from hosting.web import JsonAnswer

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("fixed-name", kills={"HC-ROUTE-007": "names of two instances that were given names: FAILED"})
class FixedName(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.name = "rpc"


@mutant(
    "module-global-state",
    kills={
        "HC-CAP-005": "a delivery id of the other channel",
        "HC-ROUTE-007": "after a turn through right: FAILED",
    },
)
class ModuleGlobalState(RpcChannel):
    answered: dict[str, HostedRunResult[Any]] = {}  # noqa: RUF012 - this is the defect

    async def run(self, turn: ChannelRequest, body: Any) -> HostedRunResult[Any]:
        if turn.delivery_id not in self.answered:
            result = await super().run(turn, body)
            if turn.delivery_id is None:
                return result
            self.answered[turn.delivery_id] = result
        return self.answered[turn.delivery_id]


@mutant("greedy-root", kills={"HC-ROUTE-008": "refused beside another channel"}, answers=False)
class GreedyRoot(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        everything = Route("/{anything:path}", self.handle, methods=["GET", "POST"])
        return replace(super().contribute(context), root_routes=[everything])


@mutant("shadows-liveness", kills={"HC-ROUTE-008": "which belongs to the host"}, answers=False)
class ShadowsLiveness(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), root_routes=[Route("/liveness", self.alive)])

    async def alive(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("alive")


@mutant("catch-all", kills={"HC-ROUTE-004": "status of an unknown path: FAILED"})
class CatchAll(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        everything = Route("/{rest:path}", self.handle, methods=["POST"])
        return replace(inside, routes=[*inside.routes, everything])


@mutant("any-method", kills={"HC-ROUTE-005": "runs of the turn by GET: FAILED"})
class AnyMethod(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        anything = Route("/", self.handle, methods=["GET", "POST"])
        return replace(super().contribute(context), routes=[anything])


@mutant(
    "own-404",
    defect="answers unknown paths in HTML",
    kills={"HC-ROUTE-004": "form of the 404, beside that of a refused body: FAILED"},
)
class OwnNotFound(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        rest = Route("/{rest:path}", self.lost, methods=["GET", "POST"])
        return replace(inside, routes=[*inside.routes, rest])

    async def lost(self, request: Request) -> JsonAnswer:
        return JsonAnswer(b"<h1>Nothing here</h1>", status=404, headers={"content-type": "text/html"})


@mutant("root-path-crash", kills={"HC-ROUTE-002": "status of a turn at the root: FAILED"})
class RootPathCrash(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        events = Route(f"{'' if self.path else '/'}/events", self.receive, methods=["POST"])
        return replace(super().contribute(context), routes=[events])


class Everywhere:
    """Middleware that puts itself around the whole application when it sees its first request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = scope["app"]
        if not isinstance(application.middleware_stack, Everywhere):
            application.middleware_stack = Everywhere(application.middleware_stack)
        await self.app(scope, receive, send)


@mutant(
    "leaky-middleware",
    kills={"HC-ROUTE-011": "what a request for another channel goes through besides: FAILED"},
)
class LeakyMiddleware(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), middleware=[Middleware(Everywhere)])


@mutant("v1-only", kills={"HC-ROUTE-012": "addresses that answer only under /v1: FAILED"})
class V1Only(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        base = self.path.rpartition("/")[0]
        jobs = Route(f"{base}/v1/jobs", self.handle, methods=["POST"])
        return replace(inside, root_routes=[*inside.root_routes, jobs])


@mutant(
    "well-known-under-path",
    kills={"HC-ROUTE-012": "well-known documents under the channel's own path: FAILED"},
)
class WellKnownUnderPath(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        document = Route("/.well-known/rpc.json", self.handle, methods=["POST"])
        return replace(inside, routes=[*inside.routes, document])
