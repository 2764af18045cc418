"""An in-memory WebSocket client of an ASGI app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import msgspec

from .app_task import AppTask
from .asgi import ASGIApp, ASGIViolation, BridgeOptions, Headers, connection_scope
from .transcript import RequestLine, SocketAccepted, Transcript
from .websocket_wire import SocketWire, WebSocketClosed, WebSocketRejected

if TYPE_CHECKING:
    from hosting.clock import TimeSource

CLEAN_CODES = (1000, 1001)
"""Close codes after which iteration simply ends (RFC 6455, 7.4.1: normal closure, going away)."""


@asynccontextmanager
async def connect(
    app: ASGIApp,
    path: str,
    *,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    subprotocols: Sequence[str] = (),
    options: BridgeOptions | None = None,
    clock: TimeSource | None = None,
) -> AsyncGenerator[WebSocketSession]:
    """Open a WebSocket: `async with connect(app, "/chat") as ws`; `path` may hold a query.

    Leaving the block closes with 1000 if nobody has closed before, and ends the app (`BridgeOptions.grace`).

    Raises:
        WebSocketRejected: if the app refused (403 for a close before accept).
        Exception: what the app raised while the client was there.
    """
    session = WebSocketSession(app, path, _handshake_headers(headers, subprotocols), options, clock)
    try:
        await session.handshake()
        yield session
    finally:
        await session.aclose()
    session.raise_app_error()


def _handshake_headers(
    extra: Mapping[str, str] | Sequence[tuple[str, str]], subprotocols: Sequence[str]
) -> Headers:
    given = list(extra.items() if isinstance(extra, Mapping) else extra)
    names = {name.lower() for name, _ in given}
    usual = {
        "host": "testserver",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
    }
    if subprotocols:
        usual["sec-websocket-protocol"] = ", ".join(subprotocols)
    given = [(name, value) for name, value in usual.items() if name not in names] + given
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in given)


def _offered(headers: Headers) -> list[str]:
    values = [value.decode("latin-1") for name, value in headers if name.lower() == b"sec-websocket-protocol"]
    return [item.strip() for item in ",".join(values).split(",") if item.strip()]


class WebSocketSession:
    """One connection, made by `connect`; `async for message in ws` ends at a clean close and raises at another."""

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        headers: Headers,
        options: BridgeOptions | None = None,
        clock: TimeSource | None = None,
    ) -> None:
        self.options = options or BridgeOptions()
        self.transcript = Transcript(clock)
        version = self.options.http_version
        self.transcript.add(RequestLine(self.transcript.now(), "GET", path, version, headers))
        scope = connection_scope(
            "websocket", path, headers, self.options, scheme="ws", server=("testserver", 80)
        )
        scope["extensions"] = {"websocket.http.response": {}}
        scope["subprotocols"] = offered = _offered(headers)
        self._error_raised = False
        self._wire = wire = SocketWire(self.options, self.transcript, offered)
        self._task = AppTask(
            app, scope, wire.receive, wire.send, transcript=self.transcript, on_end=wire.wakeup.notify
        )

    @property
    def accepted(self) -> SocketAccepted:
        """What the app accepted with: subprotocol and headers."""
        if self._wire.accepted is None:
            raise RuntimeError("the handshake is not over; await handshake() first")
        return self._wire.accepted

    @property
    def app_error(self) -> BaseException | None:
        """The exception that the app ended with, raised to the client or not."""
        return self._task.error

    async def handshake(self) -> None:
        """Wait until the app has accepted; `connect` does it."""
        await self._wire.wakeup.until(lambda: self._wire.accepted or self._wire.rejection or self._task.ended)
        if self._wire.rejection is not None:
            raise self._wire.rejection
        if self._wire.accepted is None:
            if not self.options.raise_app_errors:
                raise WebSocketRejected(500, (), b"Internal Server Error")
            self.raise_app_error()
            raise ASGIViolation(
                "the app returned without an answer; send websocket.accept or websocket.close"
            )

    async def send_text(self, text: str) -> None:
        """Send a text message; raises `WebSocketClosed` if the connection is closed."""
        await self._put(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message; raises `WebSocketClosed` if the connection is closed."""
        await self._put(data)

    async def send_json(self, value: object) -> None:
        """Send a value as JSON in a text message; raises `WebSocketClosed` if the connection is closed."""
        await self._put(msgspec.json.encode(value).decode())

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            WebSocketClosed: if either side has closed.
            Exception: what the app raised.
        """
        await self._wire.wakeup.until(
            lambda: self._wire.outbox or self._wire.closed or self._wire.left or self._task.ended
        )
        if self._wire.outbox and self._wire.left is None:
            message = self._wire.outbox.take()
            if self._wire.outbox.taken == self.options.drop_after:
                self.disconnect()
            return message
        raise self._ending()

    async def receive_text(self) -> str:
        """The next message, which must be text (`TypeError` if it is binary)."""
        message = await self.receive()
        if not isinstance(message, str):
            raise TypeError(f"found a binary message of {len(message)} bytes, expected text")
        return message

    async def receive_bytes(self) -> bytes:
        """The next message, which must be binary (`TypeError` if it is text)."""
        message = await self.receive()
        if not isinstance(message, bytes):
            raise TypeError(f"found text {message[:80]!r}, expected a binary message")
        return message

    async def receive_json(self) -> Any:
        """The next text message, decoded."""
        return msgspec.json.decode(await self.receive_text())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.receive()
        except WebSocketClosed as closed:
            if closed.code in CLEAN_CODES:
                raise StopAsyncIteration from closed
            raise

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close from the client's side and wait until the app has ended; a second close does nothing."""
        self._leave(code, reason, f"client closed with {code}")
        await self.aclose()

    def disconnect(self) -> None:
        """Vanish without a close frame, at once and without waiting (the app sees code 1006)."""
        self._leave(1006, "", "connection lost")

    async def aclose(self) -> None:
        """Close with 1000 if still open, and end the app."""
        self._leave(1000, "", "client closed with 1000")
        await self._task.stop(self.options.grace)

    def raise_app_error(self) -> None:
        """Raise the app's exception, once, if it came before the client left."""
        error = self._task.error
        if (
            error is None
            or self._error_raised
            or self._wire.left is not None
            or not self.options.raise_app_errors
        ):
            return
        self._error_raised = True
        if isinstance(error, asyncio.CancelledError):
            raise ASGIViolation("the app ended as cancelled though its client was still there") from error
        raise error

    async def _put(self, message: str | bytes) -> None:
        await asyncio.sleep(0)
        if self._wire.closed or self._wire.left or self._task.ended:
            raise self._ending()
        self._wire.inbox.append(message)
        self._wire.wakeup.notify()

    def _ending(self) -> WebSocketClosed:
        ending = self._wire.left or self._wire.closed
        if ending is None:
            self.raise_app_error()
        return ending or WebSocketClosed(1006, "the app returned without websocket.close")

    def _leave(self, code: int, reason: str, told: str) -> None:
        if not self._task.ended:
            self._wire.leave(code, reason, told)
