"""Channels at the wrong address."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from hosting import ChannelContext, ChannelContribution

from ..reference import RpcChannel
from .model import mutant


@mutant("hardcoded-path", kills={"HC-ROUTE-001": "status of a turn at /kit/here: FAILED"}, answers=False)
class HardcodedPath(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.path = "/rpc"


@mutant("stray-root-route", kills={"HC-ROUTE-001": "/rpc-status"})
class StrayRootRoute(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return ChannelContribution(routes=inside.routes, root_routes=[Route("/rpc-status", self.status)])

    async def status(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")


@mutant("slash-redirect", kills={"HC-ROUTE-003": "observed  307"})
class SlashRedirect(RpcChannel):
    def routes(self) -> list[Route]:
        return [*super().routes(), Route("/", self.redirect, methods=["GET"])]

    async def redirect(self, request: Request) -> RedirectResponse:
        return RedirectResponse(f"{self.path}/")


@mutant(
    "sticky-path",
    defect="answers at its first path for ever",
    kills={"HC-ROUTE-001": "status at /kit/here, where it is not mounted: FAILED"},
)
class StickyPath(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        first = [] if self.path == "/kit/here" else [Route("/kit/here", self.handle, methods=["POST"])]
        return ChannelContribution(routes=inside.routes, root_routes=first)
