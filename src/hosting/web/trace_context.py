"""Continues the trace of a request's caller (contract 18.1)."""

from __future__ import annotations

from functools import cache

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach
from starlette.types import ASGIApp, Receive, Scope, Send


class TraceContext:
    """ASGI middleware: what runs below is in the trace that the request's headers name, by default `traceparent`.

    It leaves a trace alone that something around it has begun, such as an OpenTelemetry middleware of the app.

    Args:
        app: The application below.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = _callers_context(scope)
        if context is None:
            await self._app(scope, receive, send)
            return
        token = attach(context)
        try:
            await self._app(scope, receive, send)
        finally:
            detach(token)


def _callers_context(scope: Scope) -> Context | None:
    if scope["type"] not in ("http", "websocket"):
        return None
    names = _header_names()
    carried = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name in names
    }
    if not carried or trace.get_current_span().get_span_context().is_valid:
        return None
    return propagate.extract(carried)


@cache
def _header_names() -> frozenset[bytes]:
    """What the process's propagators read; they are set once, before the first request."""
    return frozenset(name.encode() for name in propagate.get_global_textmap().fields)
