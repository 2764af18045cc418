"""Where errors stop on their way to a client (contract 14.1 to 14.3)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from ..errors import HostingError, RunFailed
from .answer import JsonAnswer
from .disconnect import ClientGone
from .problems import describe, error_headers, plain_error
from .unread import HeldEnd, has_unread_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..channel import ErrorAnswer, ErrorRenderer

_DENIAL = "websocket.http.response"


class ErrorBoundary:
    """Renders what leaves `app` before its response began; a client that left ends in silence.

    `HostingError` and `HTTPException` are told as they are. Anything else is logged once with its trace, and the
    client learns the id that stands in the log. A failure after the response began is logged; the server breaks the
    connection, as the response is incomplete. On WebSockets the answer is a denial response where the
    server can send one, else a close code.

    Args:
        app: What is guarded.
        render_error: The protocol's error shape; None for `plain_error`.
        logger: Where traces go.
        error_id: Makes an id for each failure that is not told.
    """

    def __init__(
        self,
        app: ASGIApp,
        render_error: ErrorRenderer | None = None,
        *,
        logger: logging.Logger,
        error_id: Callable[[], str],
    ) -> None:
        self._app = app
        self._render_error = render_error or plain_error
        self._logger = logger
        self._error_id = error_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tracked = _TrackedSend(send)
        try:
            await self._app(scope, receive, tracked)
        except (ClientDisconnect, WebSocketDisconnect):
            return
        except Exception as error:
            await self._tell(error, scope, receive, tracked)

    async def _tell(self, error: Exception, scope: Scope, receive: Receive, tracked: _TrackedSend) -> None:
        if tracked.first is None and (scope["type"] == "http" or _DENIAL in scope.get("extensions", {})):
            answer = self._answer(self._reported(error))
            send = tracked if scope["type"] == "http" else tracked.deny
            if scope["type"] == "http" and has_unread_body(scope):
                send = HeldEnd(receive, tracked)
            await answer(scope, receive, send)
        elif scope["type"] == "websocket" and tracked.first in (None, "websocket.accept"):
            await self._close_websocket(self._reported(error), tracked)
        else:
            self._logger.error("A response broke off after it had begun.", exc_info=error)

    def _reported(self, error: Exception) -> HostingError | HTTPException:
        """What the client may know of `error`; what it may not is logged here."""
        if isinstance(error, HostingError | HTTPException):
            return error
        failure = RunFailed(self._error_id())
        self._logger.error("A request failed (%s).", failure.error_id, exc_info=error)
        return failure

    def _answer(self, error: HostingError | HTTPException) -> JsonAnswer:
        problem = describe(error)
        rendered: ErrorAnswer = self._render_error(
            status=problem.status, code=problem.code, message=problem.message, param=problem.param
        )
        headers = error_headers(error) | {name.lower(): value for name, value in rendered.headers.items()}
        return JsonAnswer(rendered.body, status=rendered.status, headers=headers)

    async def _close_websocket(self, error: HostingError | HTTPException, tracked: _TrackedSend) -> None:
        if tracked.last == "websocket.close":
            return
        problem = describe(error)
        code = {500: 1011, 503: 1013, 429: 1013}.get(problem.status, 1008)
        try:
            await tracked({"type": "websocket.close", "code": code, "reason": problem.code})
        except ClientDisconnect:
            return


class _Unreachable(ClientGone, ConnectionError):
    """Still the `OSError` that Starlette's own responses and WebSockets look for."""


class _TrackedSend:
    """An ASGI `send` that knows what went out, and gives a client that left one name in all servers."""

    __slots__ = ("_send", "first", "last")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.first: str | None = None
        self.last: str | None = None

    async def __call__(self, message: Message) -> None:
        self.last = message["type"]
        if self.first is None:
            self.first = self.last
        try:
            await self._send(message)
        except OSError:
            raise _Unreachable from None

    async def deny(self, message: Message) -> None:
        """Sends a message of an HTTP response as one of a WebSocket denial response."""
        await self({**message, "type": f"websocket.{message['type']}"})
