"""Faults on the server's side: wraps the ASGI app of a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

import msgspec

from ..transports.asgi import ASGIApp, Message, Receive, Scope, Send
from .errors import ConnectionBroken
from .fault import Delay, DeliverThenTimeout, Malformed, Refuse, Reply, Reset, Slow, Timeout
from .run import FaultRun

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Render = Callable[[Reply], Answer]


def last_segment(path: str) -> str:
    """The operation of a request: the last part of its path."""
    return path.rstrip("/").rpartition("/")[2]


def plain_json(reply: Reply) -> Answer:
    """A `Reply` as a platform without an error shape of its own would answer it."""
    headers = [(b"content-type", b"application/json")]
    if reply.retry_after is not None:
        headers.append((b"retry-after", f"{reply.retry_after:g}".encode()))
    body = {"error": f"status {reply.status}"} if reply.body is None else reply.body
    return reply.status, headers, msgspec.json.encode(body)


class FaultyApp:
    """An ASGI app whose requests meet the faults of a plan, over a socket or in memory.

    Two things an app cannot do to its client. It cannot refuse a connection that its server has accepted: `refuse`
    breaks it before anything is read (`FaultTransport` does refuse). And it cannot break a connection before its answer
    begins, for servers answer 500 then: it sends the head of an answer and breaks before the first byte of the body.

    Args:
        app: The app.
        run: The plan at work.
        operation: The operation of a path.
        render: The platform's own shape of a `Reply`.
    """

    def __init__(
        self,
        app: ASGIApp,
        run: FaultRun,
        *,
        operation: Callable[[str], str] = last_segment,
        render: Render = plain_json,
    ) -> None:
        self._app = app
        self._run = run
        self._operation = operation
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._run.outbound(self._operation(scope["path"])) if scope["type"] == "http" else None
        match fault:
            case None:
                await self._app(scope, receive, send)
            case Delay():
                await asyncio.sleep(fault.seconds)
                await self._app(scope, receive, send)
            case Reply():
                await _read(receive)
                await _answer(send, *self._render(fault))
            case Timeout():
                await _silence(receive, send, fault.after)
            case Refuse():
                await _break(send, "the fault plan refuses this connection; a server can only break it")
            case DeliverThenTimeout() | Malformed() | Reset() | Slow():
                await self._after(fault, scope, receive, send)

    async def _after(
        self, fault: DeliverThenTimeout | Malformed | Reset | Slow, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Faults of the answer: the call takes effect first."""
        body = await _read(receive)
        if isinstance(fault, Reset) and not fault.takes_effect:
            status, headers, content = (
                200,
                [(b"content-type", b"application/json")],
                b" " * (fault.after_bytes + 1),
            )
        else:
            status, headers, content = await _result(self._app, scope, body)
        match fault:
            case DeliverThenTimeout():
                await _silence(receive, send, fault.after)
            case Malformed():
                media = [(b"content-type", fault.media_type.encode())]
                await _answer(send, fault.status, media, fault.body.encode())
            case Reset():
                await _head(send, status, headers, len(content))
                await send(_piece(content[: fault.after_bytes], more=True))
                raise ConnectionBroken(f"the fault plan broke the connection after {fault.after_bytes} bytes")
            case Slow():
                await _head(send, status, headers, len(content))
                await _paced(send, content, fault.bytes_per_second)


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


async def _result(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Runs the app and keeps its answer."""
    status, headers, pieces = 500, [(b"content-type", b"text/plain")], list[bytes]()
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, headers, b"".join(pieces)


async def _break(send: Send, why: str) -> NoReturn:
    await _head(send, 200, [], 1)
    raise ConnectionBroken(why)


async def _silence(receive: Receive, send: Send, after: float | None) -> None:
    """Answers nothing until the client goes; breaks the connection after so many seconds."""
    try:
        async with asyncio.timeout(after):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        await _break(send, f"the fault plan gave no answer for {after} s")


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await _head(send, status, headers, len(body))
    await send(_piece(body, more=False))


async def _head(send: Send, status: int, headers: list[tuple[bytes, bytes]], length: int) -> None:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    kept.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": kept})


async def _paced(send: Send, content: bytes, bytes_per_second: float) -> None:
    size = max(1, int(bytes_per_second))
    for start in range(0, len(content), size):
        piece = content[start : start + size]
        await asyncio.sleep(len(piece) / bytes_per_second)
        await send(_piece(piece, more=start + size < len(content)))


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
