"""`Exchange` as a transport of httpx; `StreamingASGITransport2` is the same for httpx2 (the official openai client).

Both clients' own ASGI transports hand over a response only when it is finished; these stream it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx

from .asgi import ASGIApp, BridgeOptions, Headers
from .bridge import BrokenResponse, ClientGone, Exchange, HttpRequest
from .upload import Body

if TYPE_CHECKING:
    from hosting.clock import TimeSource

    from .httpx2_face import StreamingASGITransport2 as StreamingASGITransport2


def __getattr__(name: str) -> object:
    """Load the httpx2 face only when it is asked for, so that httpx alone is enough for the rest."""
    if name == "StreamingASGITransport2":
        from .httpx2_face import StreamingASGITransport2

        return StreamingASGITransport2
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Connections:
    """The exchanges of one transport, in the order of their requests; what both faces share."""

    def __init__(self, app: ASGIApp, options: BridgeOptions | None, clock: TimeSource | None) -> None:
        self.exchanges: list[Exchange] = []
        self._app = app
        self._options = options or BridgeOptions()
        self._clock = clock

    async def open(self, request: HttpRequest, options: object) -> Exchange:
        """Start one exchange and wait for its head; however that fails, the app has ended afterwards."""
        if options is not None and not isinstance(options, BridgeOptions):
            raise TypeError(f"extensions['bridge']: found {type(options).__name__}, expected BridgeOptions")
        exchange = Exchange(self._app, request, options or self._options, clock=self._clock)
        self.exchanges.append(exchange)
        exchange.start()
        try:
            await exchange.head()
        except BaseException:
            await exchange.aclose()
            raise
        return exchange

    async def aclose(self) -> None:
        """End every app that still runs, then raise the first late error of an app, if there was one."""
        async with AsyncExitStack() as stack:
            for exchange in reversed(self.exchanges):
                stack.push_async_callback(exchange.aclose)


def http_request(
    method: str, raw_path: bytes, headers: Headers, body: Body, scheme: str, host: str, port: int | None
) -> HttpRequest:
    """The request of either client library as the bridge wants it."""
    server = (host, port or (443 if scheme == "https" else 80))
    return HttpRequest(method, raw_path.decode("ascii"), headers, body, scheme, server)


class _ResponseStream(httpx.AsyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._exchange:
                yield chunk
        except BrokenResponse as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    async def aclose(self) -> None:
        await self._exchange.leave()


class StreamingASGITransport(httpx.AsyncBaseTransport):
    """httpx transport to an ASGI app that streams both ways: `AsyncClient(transport=StreamingASGITransport(app))`.

    A request may bring its own options: `client.get(url, extensions={"bridge": BridgeOptions(drop_after=3)})`.
    The response carries its exchange (transcript, `disconnect`, `app_error`) in `extensions["exchange"]`;
    `exchanges` keeps all of them, those without a response included. Closing the client ends every app task.
    """

    def __init__(
        self, app: ASGIApp, options: BridgeOptions | None = None, *, clock: TimeSource | None = None
    ) -> None:
        self._connections = Connections(app, options, clock)
        self.exchanges = self._connections.exchanges

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Run the app; returns as soon as it has sent its response head."""
        url, body = request.url, request.stream
        if not isinstance(body, httpx.AsyncByteStream):
            raise TypeError(f"request body: found {type(body).__name__}, expected an asynchronous stream")
        parts = http_request(
            request.method,
            url.raw_path,
            tuple(request.headers.raw),
            body,
            url.scheme,
            url.host,
            url.port,
        )
        try:
            exchange = await self._connections.open(parts, request.extensions.get("bridge"))
        except ClientGone as error:
            raise httpx.ReadError(str(error)) from error
        head = await exchange.head()
        return httpx.Response(
            head.status,
            headers=list(head.headers),
            stream=_ResponseStream(exchange),
            extensions={"exchange": exchange},
        )

    async def aclose(self) -> None:
        """End every app task; raises the first late app error."""
        await self._connections.aclose()
