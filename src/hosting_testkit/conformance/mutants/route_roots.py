"""Channels whose addresses outside their own path are wrong."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route

from hosting import ChannelContext, ChannelContribution, UnknownReference
from hosting.web import JsonAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "well-known-empty",
    defect="offers a well-known document that it never finds",
    kills={"HC-ROUTE-012": "HEAD /.well-known/rpc.json: FAILED"},
)
class WellKnownEmpty(RpcChannel):
    async def document(self, request: Request) -> JsonAnswer:
        raise UnknownReference("There is no document.")


@mutant(
    "v1-partial",
    defect="has only some of its addresses under the version too",
    kills={"HC-ROUTE-012": "addresses that do not answer under /v1: FAILED"},
)
class PartialVersion(RpcChannel):
    def root_routes(self) -> list[Route]:
        return [route for route in super().root_routes() if not route.path.endswith("/cancel")]


class _OneMore(RpcChannel):
    """Has one more address outside its path."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return replace(inside, root_routes=[*inside.root_routes, self.one_more()])

    def one_more(self) -> BaseRoute:
        raise NotImplementedError

    async def status(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")


@mutant(
    "base-twice",
    defect="puts its whole path behind the base, which is in it already",
    kills={"HC-ROUTE-012": "addresses that did not move with the base: FAILED"},
)
class BaseTwice(_OneMore):
    def one_more(self) -> Route:
        return Route(f"{self.path.rpartition('/')[0]}/status{self.path}", self.status)


@mutant(
    "fixed-mount",
    defect="mounts its files at one address, whatever its own is",
    kills={"HC-ROUTE-012": "two instances on other bases: FAILED"},
)
class FixedMount(_OneMore):
    def one_more(self) -> Mount:
        return Mount("/rpc-files", routes=[Route("/", self.status)])
