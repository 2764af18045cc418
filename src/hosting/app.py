"""The one Starlette application of a host: host routes first, then channels by longest path (contract 1.2, 1.4)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .channel import Channel, ChannelContribution
from .errors import ChannelConfigurationError, NotReady
from .lifecycle import Lifecycle
from .web import ChannelRoutes, JsonAnswer, RootRoutes
from .web.trace_context import TraceContext

_HOST_PATHS = ("/liveness", "/readiness")


@dataclass(frozen=True, slots=True)
class Contributed:
    """A channel with what it contributed."""

    channel: Channel
    contribution: ChannelContribution


def build_app(
    channels: Sequence[Contributed],
    *,
    lifecycle: Lifecycle,
    lifespan: Callable[[], AbstractAsyncContextManager[None]],
    middleware: Sequence[Middleware],
    error_id: Callable[[], str],
    logger: logging.Logger,
    debug: bool,
) -> Starlette:
    """Puts the routes of host and channels together.

    Raises:
        ChannelConfigurationError: Two channels, or a channel and the host, want one address (contract 1.5).
    """
    _check_addresses(channels)
    ordered = sorted(channels, key=lambda item: len(item.channel.path), reverse=True)
    routes: list[BaseRoute] = [*_host_routes(lifecycle)]
    for item in ordered:
        contribution = item.contribution
        if contribution.root_routes:
            routes.append(
                RootRoutes(
                    contribution.root_routes,
                    middleware=contribution.middleware,
                    render_error=contribution.render_error,
                    logger=logger,
                    error_id=error_id,
                )
            )
    for item in ordered:
        contribution = item.contribution
        if contribution.routes:
            routes.append(
                ChannelRoutes(
                    item.channel.path,
                    contribution.routes,
                    middleware=contribution.middleware,
                    render_error=contribution.render_error,
                    logger=logger,
                    error_id=error_id,
                )
            )

    @asynccontextmanager
    async def app_lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with lifespan():
            yield

    app = Starlette(
        routes=routes, middleware=[*middleware, Middleware(TraceContext)], lifespan=app_lifespan, debug=debug
    )
    app.router.redirect_slashes = False
    return app


def _host_routes(lifecycle: Lifecycle) -> list[Route]:
    async def liveness(request: Request) -> Response | JsonAnswer:
        return _status(request, 200, "alive")

    async def readiness(request: Request) -> Response | JsonAnswer:
        try:
            await lifecycle.check_ready()
        except NotReady as exc:
            return _status(request, 503, exc.message)
        return _status(request, 200, "ready")

    return [Route("/liveness", _AllMethods(liveness)), Route("/readiness", _AllMethods(readiness))]


class _AllMethods:
    """Keeps a host path to the host: other methods get 405 here rather than falling through to a root channel."""

    def __init__(self, endpoint: Callable[[Request], Any]) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        answer = await self._endpoint(request) if request.method in ("GET", "HEAD") else _not_allowed()
        await answer(scope, receive, send)


def _status(request: Request, status: int, text: str) -> JsonAnswer:
    body = b"" if request.method == "HEAD" else msgspec.json.encode({"status": text})
    return JsonAnswer(body, status=status, headers={"cache-control": "no-store"})


def _not_allowed() -> JsonAnswer:
    return JsonAnswer(b'{"status":"method not allowed"}', status=405, headers={"allow": "GET, HEAD"})


def _check_addresses(channels: Sequence[Contributed]) -> None:
    taken: dict[tuple[str, str], str] = {}
    for item in channels:
        for path, methods in _addresses(item):
            if path.rstrip("/") in _HOST_PATHS:
                raise ChannelConfigurationError(
                    f"wants {path}, which belongs to the host; give the channel another path",
                    channel=item.channel.name,
                    field="path",
                )
            for method in methods:
                other = taken.setdefault((path, method), item.channel.name)
                if other != item.channel.name:
                    raise ChannelConfigurationError(
                        f"{method} {path} is taken by channel {other!r}; give one of them another path, or switch "
                        "the address off where the channel has an option for it",
                        channel=item.channel.name,
                        field="path",
                    )


def _addresses(item: Contributed) -> list[tuple[str, Sequence[str]]]:
    prefix = item.channel.path
    inside = [
        (prefix + ("" if path == "/" else path), methods)
        for path, methods in _paths(item.contribution.routes)
    ]
    return [(path or "/", methods) for path, methods in [*inside, *_paths(item.contribution.root_routes)]]


def _paths(routes: Sequence[BaseRoute]) -> list[tuple[str, Sequence[str]]]:
    return [
        (path, sorted(getattr(route, "methods", None) or ["ANY"]))
        for route in routes
        if isinstance(path := getattr(route, "path", None), str)
    ]
