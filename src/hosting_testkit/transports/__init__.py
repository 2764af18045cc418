"""In-memory connections to an ASGI app: HTTP (bare, httpx, httpx2), WebSocket and lifespan, with faults on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .asgi import ASGIApp, ASGIViolation, BridgeOptions
from .bridge import BrokenResponse, ClientGone, Exchange, HttpRequest
from .http import StreamingASGITransport
from .lifespan import LifespanFailed, lifespan
from .transcript import Transcript
from .upload import half_open
from .websocket import WebSocketClosed, WebSocketRejected, WebSocketSession, connect

if TYPE_CHECKING:
    from .httpx2_face import StreamingASGITransport2

__all__ = [
    "ASGIApp",
    "ASGIViolation",
    "BridgeOptions",
    "BrokenResponse",
    "ClientGone",
    "Exchange",
    "HttpRequest",
    "LifespanFailed",
    "StreamingASGITransport",
    "StreamingASGITransport2",
    "Transcript",
    "WebSocketClosed",
    "WebSocketRejected",
    "WebSocketSession",
    "connect",
    "half_open",
    "lifespan",
]


def __getattr__(name: str) -> object:
    """Import the httpx2 face when it is asked for: the rest works without httpx2."""
    if name == "StreamingASGITransport2":
        from .httpx2_face import StreamingASGITransport2

        return StreamingASGITransport2
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
