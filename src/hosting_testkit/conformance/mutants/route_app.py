"""Channels that take the whole application for their own."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting import ChannelContext, ChannelContribution, ChannelRequest

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant


class _Around:
    """Middleware that moves to the outside of the whole application when it sees its first request."""

    moved = False

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        application = scope["app"]
        if self.moved:
            return self.outside(scope, receive, send)
        if not isinstance(application.middleware_stack, type(self)):
            around = application.middleware_stack = type(self)(application.middleware_stack)
            around.moved = True
        return self.app(scope, receive, send)

    def outside(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        raise NotImplementedError


class _Gate(_Around):
    def outside(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or "authorization" in Request(scope).headers:
            return self.app(scope, receive, send)
        return PlainTextResponse("Who are you?", 401)(scope, receive, send)


@mutant(
    "gates-everything",
    defect="puts its authentication in front of the whole application",
    kills={
        "HC-ROUTE-002": "status of the host's /liveness: FAILED",
        "HC-ROUTE-008": "answers of /liveness beside a channel at the root: FAILED",
    },
)
class GatesEverything(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), middleware=[Middleware(_Gate)])


class _Stamp(_Around):
    def outside(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-rpc-version"] = "1"
            await send(message)

        return self.app(scope, receive, send_stamped)


@mutant(
    "stamps-everything",
    defect="adds its headers to the answers of the whole application",
    kills={"HC-ROUTE-011": "headers of /liveness: FAILED"},
)
class StampsEverything(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), middleware=[Middleware(_Stamp)])


class _Lax(Route):
    """Takes every page that nobody before it took."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        page = scope["type"] == "http" and scope["method"] == "GET"
        return (Match.FULL, {"endpoint": self.endpoint}) if page else (Match.NONE, {})


@mutant(
    "home-page",
    defect="shows its home page at the addresses of others",
    kills={"HC-ROUTE-008": "who answers at /peer beside a channel at the root: FAILED"},
)
class HomePage(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), root_routes=[_Lax("/", self.home)])

    async def home(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("Talk to this bot.")


@mutant(
    "warm-up",
    defect="runs the target once more, to warm it up",
    kills={"HC-ROUTE-008": "runs beside that of the turn, at the root: FAILED"},
)
class WarmsUp(BotChannel):
    warm = False

    async def take(self, payload: Mapping[str, Any]) -> None:
        if not self.warm:
            self.warm = True
            await self.context.run(ChannelRequest(channel=self.name, input="Are you there?"))
        await super().take(payload)


@mutant(
    "lost-at-other-paths",
    defect="acknowledges events at any path and drops those that did not come to its default one",
    kills={
        "HC-ROUTE-001": "runs of a turn at /kit/here: FAILED",
        "HC-ROUTE-002": "runs of a turn at the root: FAILED",
    },
    answers=False,
)
class LostAtOtherPaths(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> Any:
        return super().parse(payload) if self.path == "/bot" else Ignored("for another bot")
