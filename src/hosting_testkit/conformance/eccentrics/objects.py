"""Odd objects: what a channel, its routes and its endpoints may be made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from agent_framework import Message
from pydantic import BaseModel, ConfigDict, PrivateAttr
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from hosting import ChannelContext, ChannelContribution, ChannelRequest

from ..reference import RpcChannel, RpcDriver
from .model import eccentric


@eccentric("frozen", "is a frozen dataclass with slots", base=RpcDriver)
@dataclass(frozen=True, slots=True)
class Frozen:
    auth: Any = "loopback"
    name: str = "rpc"
    path: str = "/rpc"
    run_hook: Any = None
    response_hook: Any = None
    stream_update_hook: Any = None
    stream_with_response_hook: bool = False
    allowlist: Any = "inherit"
    require_link: bool = False
    confidentiality_tier: Any = None
    accept_response_target: bool = False
    on_disconnect: Any = "cancel"
    apology: Any = None
    inner: list[RpcChannel] = field(default_factory=list[RpcChannel])

    def __post_init__(self) -> None:
        self.inner.append(RpcChannel(auth=self.auth, name=self.name, path=self.path))

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return self.inner[0].contribute(context)


@eccentric("pydantic", "is a pydantic model", base=RpcDriver)
class Modelled(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")

    auth: Any = "loopback"
    name: str = "rpc"
    path: str = "/rpc"
    _inner: Any = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        self._inner = RpcChannel(auth=self.auth, name=self.name, path=self.path)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return self._inner.contribute(context)


@eccentric("duck", "only looks like a channel: attributes are found when they are asked for", base=RpcDriver)
class Duck:
    def __init__(self, **options: Any) -> None:
        self._inner = RpcChannel(**options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return self._inner.contribute(context)


@eccentric("sub-application", "mounts an application of its own for one of its routes", base=RpcDriver)
class SubApplication(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        turns, cancel = self.routes()
        inner = Starlette(routes=[cancel], exception_handlers={404: _not_here, 405: _not_here})
        return replace(inside, routes=[turns, Mount("/", app=inner)])

    def root_routes(self) -> list[Route]:
        return [route for route in super().root_routes() if not route.path.endswith("/cancel")]


async def _not_here(request: Request, error: Any) -> JSONResponse:
    told = {"code": "not_found", "message": "There is nothing here."}
    return JSONResponse({"error": told}, status_code=error.status_code, headers=error.headers)


@eccentric("class-endpoint", "has endpoints that are classes", base=RpcDriver)
class ClassEndpoint(RpcChannel):
    def at(self, prefix: str) -> list[Route]:
        return [_as_class(route) for route in super().at(prefix)]


def _as_class(route: Route) -> Route:
    handle: Callable[[Request], Any] = route.endpoint

    class Endpoint(HTTPEndpoint):
        async def post(self, request: Request) -> Any:
            return await handle(request)

    return Route(route.path, Endpoint, methods=["POST"])


@eccentric("partial-endpoint", "has endpoints that are partial functions", base=RpcDriver)
class PartialEndpoint(RpcChannel):
    def at(self, prefix: str) -> list[Route]:
        routes = super().at(prefix)
        return [Route(route.path, partial(_call, route.endpoint), methods=["POST"]) for route in routes]


async def _call(handle: Callable[[Request], Any], request: Request) -> Any:
    return await handle(request)


@eccentric("object-endpoint", "has endpoints that are objects which are called", base=RpcDriver)
class ObjectEndpoint(RpcChannel):
    def at(self, prefix: str) -> list[Route]:
        routes = super().at(prefix)
        return [Route(route.path, _Endpoint(route.endpoint), methods=["POST"]) for route in routes]


class _Endpoint:
    def __init__(self, handle: Callable[[Request], Any]) -> None:
        self.handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self.handle(Request(scope, receive))
        await answer(scope, receive, send)


@eccentric(
    "unusual-contribution",
    "shares a tuple of plain functions as callbacks, and has a page at the address of its turns",
    base=RpcDriver,
)
class UnusualContribution(RpcChannel):
    callbacks: tuple[Any, ...] = (lambda: _nothing(),)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside, callbacks = super().contribute(context), self.callbacks
        page = Route("/", _page, methods=["GET"])
        return replace(inside, routes=[*inside.routes, page], on_startup=callbacks, on_shutdown=callbacks)


def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Ask by POST.")


async def _nothing() -> None:
    return


@eccentric("messages", "gives the target messages rather than text", base=RpcDriver)
class Messages(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Any, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        said: Any = turn.input
        return turn.replace(input=[Message("user", [said])]) if isinstance(said, str) else turn
