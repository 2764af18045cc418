"""The one Starlette application of a host: host routes first, then channels by longest path (contract 1.2, 1.4)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from .addresses import Contributed, check_addresses, check_shadows
from .errors import NotReady
from .lifecycle import Lifecycle
from .web import ChannelRoutes, JsonAnswer, RootRoutes
from .web.trace_context import TraceContext


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
    check_addresses(channels)
    check_shadows(channels)
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

    return [_HostRoute("/liveness", _AllMethods(liveness)), _HostRoute("/readiness", _AllMethods(readiness))]


class _HostRoute(Route):
    """Compares the end of the path before anything dearer, as most requests are for channels."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if scope.get("path", "").endswith(self.path) else (Match.NONE, {})


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
