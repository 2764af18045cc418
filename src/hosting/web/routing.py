"""A channel's routes inside the host's application (contract 1.4, 2.2, 14.1, 14.3).

Starlette's `Mount` redirects its exact path, lets 404 and 405 out in another shape, and changes `root_path`.
These routes match a whole prefix, or absolute addresses, and answer whatever happens below them in the shape of
the channel's protocol.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.routing import (
    BaseRoute,
    Match,
    Mount,
    NoMatchFound,
    Route,
    Router,
    WebSocketRoute,
    compile_path,
)

from ..errors import ChannelConfigurationError
from .boundary import ErrorBoundary

if TYPE_CHECKING:
    from starlette.datastructures import URLPath
    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ..channel import ErrorRenderer


class _Routes(BaseRoute):
    """Routes with full paths, wrapped once in their channel's middleware and error rendering."""

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        middleware: Sequence[Middleware],
        render_error: ErrorRenderer | None,
        *,
        logger: logging.Logger,
        error_id: Callable[[], str],
    ) -> None:
        self.routes = list(routes)
        boundary = ErrorBoundary(self._dispatch, render_error, logger=logger, error_id=error_id)
        app: ASGIApp = boundary
        for cls, args, kwargs in reversed(middleware):
            app = cls(app, *args, **kwargs)
        self._app = (
            boundary
            if app is boundary
            else ErrorBoundary(app, render_error, logger=logger, error_id=error_id)
        )

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        for route in self.routes:
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                continue
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["router"] = self  # `request.url_for` looks here first: route names are the channel's own
        scope["starlette.exception_handlers"] = ({}, {})  # what endpoints raise comes to the boundary
        await self._app(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed: set[str] = set()
        for route in self.routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                scope["route"] = route
                scope.update(child_scope)
                await route.handle(scope, receive, send)
                return
            if match is Match.PARTIAL:
                allowed |= getattr(route, "methods", None) or set()
        if allowed:
            raise HTTPException(405, headers={"allow": ", ".join(sorted(allowed))})
        raise HTTPException(404)


class ChannelRoutes(_Routes):
    """Everything under one channel's `path`, the exact path included, without redirects.

    `request.url` and `root_path` stay as the server reported them. Put the longest path first where one prefix
    holds another.

    Args:
        path: `""`, or a prefix such as `/responses`.
        routes: `Route`, `WebSocketRoute` and `Mount`, relative to `path`; `Route("/")` is the exact path.
        middleware: Wraps these routes and nothing else; sees 404, 405 and rendered errors as responses.
        render_error: The protocol's error shape; None for `plain_error`.
        logger: Gets one record with the trace for each failure that a client learns only the id of.
        error_id: Makes that id.

    Raises:
        ChannelConfigurationError: `path` or a route cannot be mounted.
    """

    def __init__(
        self,
        path: str,
        routes: Sequence[BaseRoute],
        middleware: Sequence[Middleware] = (),
        render_error: ErrorRenderer | None = None,
        *,
        logger: logging.Logger,
        error_id: Callable[[], str],
    ) -> None:
        if path and (not path.startswith("/") or path.endswith("/")):
            raise ChannelConfigurationError(
                f"found {path!r}, expected '' or a path such as '/responses'", field="path"
            )
        self.path = path
        below = [_with_prefix(path, route) for route in routes]
        super().__init__(below, middleware, render_error, logger=logger, error_id=error_id)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] in ("http", "websocket"):
            path, prefix = _route_path(scope), self.path
            if path.startswith(prefix) and (not prefix or path[len(prefix) : len(prefix) + 1] in ("", "/")):
                return Match.FULL, {}
        return Match.NONE, {}


class RootRoutes(_Routes):
    """A channel's routes at absolute addresses: siblings under its base, well-known documents (contract 1.4).

    Takes what its routes match and leaves everything else to others. Arguments as for `ChannelRoutes`.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        middleware: Sequence[Middleware] = (),
        render_error: ErrorRenderer | None = None,
        *,
        logger: logging.Logger,
        error_id: Callable[[], str],
    ) -> None:
        absolute = [_with_prefix("", route) for route in routes]
        self._heads = tuple(route.path.partition("{")[0] for route in absolute)
        super().__init__(absolute, middleware, render_error, logger=logger, error_id=error_id)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        best = Match.NONE
        if scope["type"] not in ("http", "websocket") or not _route_path(scope).startswith(self._heads):
            return best, {}  # most requests are for others: one comparison instead of a pattern per route
        for route in self.routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return Match.FULL, {}
            if match is Match.PARTIAL:
                best = Match.PARTIAL
        return best, {}


def _with_prefix(prefix: str, route: BaseRoute) -> Route | WebSocketRoute | Mount:
    """A copy of `route` that matches below `prefix`; what it calls stays the same."""
    if not isinstance(route, Route | WebSocketRoute | Mount):
        raise ChannelConfigurationError(
            f"found a {type(route).__name__}, expected Route, WebSocketRoute or Mount", field="routes"
        )
    moved = copy.copy(route)
    if isinstance(moved, Mount):
        moved.path = prefix + moved.path
        compiled = compile_path(moved.path + "/{path:path}")
        _switch_off_redirects(moved)
    else:
        moved.path = prefix if prefix and moved.path == "/" else prefix + moved.path
        compiled = compile_path(moved.path)
    moved.path_regex, moved.path_format, moved.param_convertors = compiled
    return moved


def _switch_off_redirects(mount: Mount) -> None:
    """In what was mounted by its routes; an application of its own keeps its own ways."""
    if isinstance(mount.app, Router):
        mount.app.redirect_slashes = False
        for route in mount.app.routes:
            if isinstance(route, Mount):
                _switch_off_redirects(route)


def _route_path(scope: Scope) -> str:
    """The path below `root_path`, as Starlette's own routes see it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path
