"""A streaming in-process HTTP exchange with an ASGI app: no socket, no HTTP client, nothing buffered.

The app runs in its own task. Its response head and every body chunk reach the reader as they are sent, the reader
can leave at any point, and `send` and `receive` always give up the loop once, as a socket would.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .app_task import AppTask
from .asgi import ASGIApp, ASGIViolation, BridgeOptions, Headers, Message, checked_headers, connection_scope
from .transcript import Disconnected, RequestChunk, RequestLine, ResponseChunk, ResponseHead, Transcript
from .upload import Body, Upload
from .wakeup import Wakeup
from .window import Window

if TYPE_CHECKING:
    from hosting.clock import TimeSource


class ClientGone(Exception):
    """The response head was asked for, but the client had disconnected before the app sent it."""


class BrokenResponse(Exception):
    """The app ended without finishing its response and `raise_app_errors` is off: what a client would see."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it stands on the wire; `target` is the percent-encoded path and query."""

    method: str = "GET"
    target: str = "/"
    headers: Headers = ()
    body: Body = b""
    scheme: str = "http"
    server: tuple[str, int | None] = ("testserver", 80)


class Exchange:
    """One request and its response: `async with Exchange(app, request) as x: head = await x.head()`, then
    `async for chunk in x`. Leaving the block, or `aclose`, disconnects if the response is not finished and then
    ends the app (see `BridgeOptions.grace`).

    An exception of the app is raised by `head` if it came before the response head, else by the read that reaches
    the end of the body; after a disconnect it is only kept in `app_error` and the transcript.
    """

    def __init__(
        self,
        app: ASGIApp,
        request: HttpRequest,
        options: BridgeOptions | None = None,
        *,
        clock: TimeSource | None = None,
    ) -> None:
        self.request = request
        self.options = options or BridgeOptions()
        self.transcript = Transcript(clock)
        self._app = app
        self._task: AppTask | None = None
        self._wakeup = Wakeup()
        self._upload = Upload(request.body, self.options.request_chunk, self._wakeup)
        self._head: ResponseHead | None = None
        self._chunks = Window[bytes](self.options, self._wakeup)
        self._sent = 0
        self._content_length: int | None = None
        self._complete = False
        self._gone = False
        self._error_raised = False

    @property
    def complete(self) -> bool:
        """True once the app has sent the last piece of its response."""
        return self._complete

    @property
    def disconnected(self) -> bool:
        """True once the client has left an unfinished response."""
        return self._gone

    @property
    def app_error(self) -> BaseException | None:
        """The exception that the app ended with, raised to the reader or not."""
        return self._task.error if self._task else None

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def start(self) -> None:
        """Start the app's task; `async with` does it for you."""
        request, record = self.request, self.transcript
        record.add(
            RequestLine(
                record.now(), request.method, request.target, self.options.http_version, request.headers
            )
        )
        scope = connection_scope(
            "http",
            request.target,
            request.headers,
            self.options,
            scheme=request.scheme,
            server=request.server,
        )
        scope["method"] = request.method
        self._task = AppTask(
            self._app, scope, self._receive, self._send, transcript=record, on_end=self._wakeup.notify
        )

    # The reader's side.

    async def head(self) -> ResponseHead:
        """Wait for status and headers; they arrive before any of the body.

        Raises:
            ClientGone: if the exchange was disconnected first.
            ASGIViolation: if the app returned without a response.
            Exception: what the app raised, or what the request body's iterator raised.
        """
        await self._wakeup.until(lambda: self._head or self._gone or self._ended)
        if self._head is None:
            if self._upload.error is not None:
                raise self._upload.error
            if self._gone:
                raise ClientGone("no response head: the client disconnected before the app sent it")
            if not self.options.raise_app_errors:
                return await self._server_error()
            self._raise_app_error()
            raise ASGIViolation("the app returned without http.response.start; send a response")
        if self.options.drop_after == 0:
            self.disconnect("drop_after=0")
        return self._head

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        await self._wakeup.until(lambda: self._chunks or self._complete or self._gone or self._ended)
        if self._gone:
            raise StopAsyncIteration
        if self._chunks:
            return self._take()
        if not self._complete:
            if not self.options.raise_app_errors:
                raise BrokenResponse("the app ended before it had finished its response")
            self._raise_app_error()
            raise ASGIViolation(
                "the app returned inside its response; end it with http.response.body, more_body false"
            )
        if self.options.await_app:
            await self._wakeup.until(lambda: self._ended)
        self._raise_app_error()
        raise StopAsyncIteration

    def _take(self) -> bytes:
        chunk = self._chunks.take()
        if self._chunks.taken == self.options.drop_after:
            self.disconnect(f"drop_after={self._chunks.taken}")
        return chunk

    async def _server_error(self) -> ResponseHead:
        self._head = ResponseHead(self.transcript.now(), 500, ((b"content-type", b"text/plain"),))
        self._complete = True
        await self._chunks.put(b"Internal Server Error", 0, lambda: True)
        return self._head

    def disconnect(self, reason: str = "disconnect() called") -> None:
        """The client leaves now, at once and without waiting; nothing happens if the response was read to its end."""
        if self._gone or self._task is None or (self._complete and not self._chunks):
            return
        self._gone = True
        self._chunks.clear()
        self.transcript.add(Disconnected(self.transcript.now(), reason))
        self._wakeup.notify()

    async def leave(self) -> None:
        """What a client does when it closes its response: `aclose`, except that after a complete response it is
        not waited for an app that still works in the background (`await_app=False`)."""
        if self.options.await_app or not self._complete or self._chunks:
            await self.aclose()

    async def aclose(self) -> None:
        """Disconnect if the response is not finished, wait until the app has ended and close the request body.

        Raises:
            Exception: an error of the app that came after a complete response and no read has raised yet.
        """
        if self._task is None:
            return
        self.disconnect("reader closed")
        try:
            await self._task.stop(self.options.grace)
        finally:
            await self._upload.aclose()
        if not self._gone and not self._error_raised:
            self._raise_app_error()

    @property
    def _ended(self) -> bool:
        return self._task is not None and self._task.ended

    def _raise_app_error(self) -> None:
        error = self.app_error
        if error is None or not self.options.raise_app_errors:
            return
        self._error_raised = True
        if isinstance(error, asyncio.CancelledError):
            raise ASGIViolation("the app ended as cancelled though its client was still there") from error
        raise error

    # The app's side.

    async def _receive(self) -> Message:
        await asyncio.sleep(0)
        piece = await self._upload.next(lambda: self._gone or self._complete)
        if piece is not None:
            last = self._upload.ended
            self.transcript.add(RequestChunk(self.transcript.now(), piece, last))
            return {"type": "http.request", "body": piece, "more_body": not last}
        if self._upload.error is not None:
            self.disconnect("the request body's iterator failed")
        await self._wakeup.until(lambda: self._gone or self._complete)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await asyncio.sleep(0)
        if self._gone:
            self._refuse_send()
        elif message["type"] == "http.response.start":
            self._accept_head(message)
        elif message["type"] == "http.response.body":
            await self._accept_body(message)
        else:
            raise ASGIViolation(
                f"found {message['type']!r}; this server takes http.response.start and http.response.body"
            )

    def _refuse_send(self) -> None:
        if self.options.asgi == "2.4":
            raise OSError("the client has disconnected")

    def _accept_head(self, message: Message) -> None:
        if self._head is not None:
            raise ASGIViolation("second http.response.start; a response has one head")
        headers = checked_headers(message.get("headers", ()))
        self._head = ResponseHead(self.transcript.now(), message["status"], headers)
        lengths = [int(value) for name, value in headers if name.lower() == b"content-length"]
        if lengths and self.request.method != "HEAD" and message["status"] != 304:
            self._content_length = lengths[0]
        self.transcript.add(self._head)
        self._wakeup.notify()

    async def _accept_body(self, message: Message) -> None:
        if self._head is None:
            raise ASGIViolation("http.response.body before http.response.start; send the head first")
        if self._complete:
            raise ASGIViolation("http.response.body after the last one; more_body was false before")
        data, last = bytes(message.get("body", b"")), not message.get("more_body", False)
        self._check_length(len(data), last)
        self.transcript.add(ResponseChunk(self.transcript.now(), data, last))
        self._complete = last
        self._wakeup.notify()
        if not data or self.request.method == "HEAD":
            return
        if not await self._chunks.put(data, len(data), lambda: self._gone):
            self._refuse_send()

    def _check_length(self, size: int, last: bool) -> None:
        self._sent += size
        declared = self._content_length
        if declared is not None and (self._sent > declared or (last and self._sent < declared)):
            raise ASGIViolation(
                f"body of {self._sent} bytes under content-length {declared}; they must agree"
            )
