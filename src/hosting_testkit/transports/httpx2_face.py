"""`Exchange` as a transport of httpx2; the twin of `StreamingASGITransport` in `http`, which says how it behaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

try:
    import httpx2
except ImportError as missing:
    raise ImportError(
        "StreamingASGITransport2 needs httpx2, which is not installed; install the extra: hosting[testkit]"
    ) from missing


from .asgi import ASGIApp, BridgeOptions
from .bridge import BrokenResponse, ClientGone, Exchange
from .http import Connections, http_request

if TYPE_CHECKING:
    from hosting.clock import TimeSource


class _ResponseStream(httpx2.AsyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._exchange:
                yield chunk
        except BrokenResponse as error:
            raise httpx2.RemoteProtocolError(str(error)) from error

    async def aclose(self) -> None:
        await self._exchange.leave()


class StreamingASGITransport2(httpx2.AsyncBaseTransport):
    """httpx2 transport to an ASGI app; give `httpx2.AsyncClient(transport=...)` to `AsyncOpenAI(http_client=...)`."""

    def __init__(
        self, app: ASGIApp, options: BridgeOptions | None = None, *, clock: TimeSource | None = None
    ) -> None:
        self._connections = Connections(app, options, clock)
        self.exchanges = self._connections.exchanges

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Run the app; returns as soon as it has sent its response head."""
        url, body = request.url, request.stream
        if not isinstance(body, httpx2.AsyncByteStream):
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
            raise httpx2.ReadError(str(error)) from error
        head = await exchange.head()
        return httpx2.Response(
            head.status,
            headers=list(head.headers),
            stream=_ResponseStream(exchange),
            extensions={"exchange": exchange},
        )

    async def aclose(self) -> None:
        """End every app task; raises the first late app error."""
        await self._connections.aclose()
