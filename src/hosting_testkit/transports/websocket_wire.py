"""The app's end of an in-memory WebSocket: the ASGI messages, and what both ends know of the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from .asgi import ASGIViolation, BridgeOptions, Headers, Message, checked_headers
from .transcript import Disconnected, MessageIn, MessageOut, SocketAccepted, SocketClosed, Transcript
from .wakeup import Wakeup
from .window import Window


class WebSocketRejected(Exception):
    """The app refused the handshake; `status`, `headers` and `body` are those of its HTTP answer."""

    def __init__(self, status: int, headers: Headers = (), body: bytes = b"") -> None:
        super().__init__(f"handshake refused with HTTP {status} {body[:200]!r}")
        self.status = status
        self.headers = headers
        self.body = body


class WebSocketClosed(Exception):
    """The connection is closed; code 1006 stands for an app that returned without closing it."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class SocketWire:
    """Connecting, then accepted or refused, then closed by the app (`closed`) or left by the client (`left`)."""

    def __init__(self, options: BridgeOptions, transcript: Transcript, offered: Sequence[str]) -> None:
        self.wakeup = Wakeup()
        self.inbox: deque[str | bytes] = deque()
        self.outbox = Window[str | bytes](options, self.wakeup)
        self.accepted: SocketAccepted | None = None
        self.rejection: WebSocketRejected | None = None
        self.closed: WebSocketClosed | None = None
        self.left: WebSocketClosed | None = None
        self.transcript = transcript
        self._options = options
        self._offered = offered
        self._connect_sent = False
        self._denial: WebSocketRejected | None = None

    def leave(self, code: int, reason: str, told: str) -> None:
        """The client goes; what it has not read is lost. Nothing happens if the connection has ended before."""
        if self.left or self.closed or self.rejection:
            return
        self.left = WebSocketClosed(code, reason)
        self.outbox.clear()
        self.transcript.add(Disconnected(self.transcript.now(), told, code))
        self.wakeup.notify()

    async def receive(self) -> Message:
        """ASGI `receive`: connect, the client's messages, and one disconnect for ever."""
        await asyncio.sleep(0)
        if not self._connect_sent:
            self._connect_sent = True
            return {"type": "websocket.connect"}
        await self.wakeup.until(lambda: self.inbox or self.left or self.closed or self.rejection)
        if self.inbox:
            data = self.inbox.popleft()
            self.transcript.add(MessageIn(self.transcript.now(), data))
            return {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}
        ending = self.left or self.closed or WebSocketClosed(1006)
        return {"type": "websocket.disconnect", "code": ending.code, "reason": ending.reason}

    async def send(self, message: Message) -> None:
        """ASGI `send`; raises `ASGIViolation` for a message that this state does not take."""
        await asyncio.sleep(0)
        kind = message["type"].removeprefix("websocket.")
        if self.left is not None:
            self._refuse_send()
        elif self.closed or self.rejection:
            raise ASGIViolation(f"found {message['type']!r} after the connection was closed by the app")
        elif self.accepted is not None:
            await self._send_open(kind, message)
        elif self._denial is not None:
            self._send_denial(kind, message, self._denial)
        else:
            self._send_connecting(kind, message)

    async def _send_open(self, kind: str, message: Message) -> None:
        if kind == "close":
            self._close_by_app(message)
            return
        text, data = message.get("text"), message.get("bytes")
        if kind != "send" or (text is None) == (data is None):
            raise ASGIViolation(
                f"found {dict(message)!r}, expected websocket.send with text or bytes, or close"
            )
        payload: str | bytes = message["text"] if data is None else bytes(data)
        self.transcript.add(MessageOut(self.transcript.now(), payload))
        if not await self.outbox.put(payload, len(payload), lambda: self.left is not None):
            self._refuse_send()

    def _send_connecting(self, kind: str, message: Message) -> None:
        if kind == "accept":
            self._accept(message.get("subprotocol"), checked_headers(message.get("headers") or ()))
        elif kind == "close":
            self._close_by_app(message)
            self.rejection = WebSocketRejected(403)
        elif kind == "http.response.start":
            self._denial = WebSocketRejected(message["status"], checked_headers(message.get("headers") or ()))
        else:
            raise ASGIViolation(f"found {message['type']!r} before websocket.accept; accept or refuse first")
        self.wakeup.notify()

    def _accept(self, subprotocol: str | None, headers: Headers) -> None:
        if subprotocol is not None and subprotocol not in self._offered:
            raise ASGIViolation(f"accepted subprotocol {subprotocol!r}, expected one of {self._offered}")
        self.accepted = SocketAccepted(self.transcript.now(), subprotocol, headers)
        self.transcript.add(self.accepted)

    def _send_denial(self, kind: str, message: Message, denial: WebSocketRejected) -> None:
        if kind != "http.response.body":
            raise ASGIViolation(f"found {message['type']!r}, expected websocket.http.response.body")
        denial = WebSocketRejected(denial.status, denial.headers, denial.body + message.get("body", b""))
        self._denial = denial
        if not message.get("more_body", False):
            self.rejection = denial
            self.wakeup.notify()

    def _close_by_app(self, message: Message) -> None:
        code, reason = message.get("code", 1000), message.get("reason") or ""
        self.closed = WebSocketClosed(code, reason)
        self.transcript.add(SocketClosed(self.transcript.now(), code, reason))
        self.wakeup.notify()

    def _refuse_send(self) -> None:
        if self._options.asgi == "2.4":
            raise OSError("the client has disconnected")
