"""Faults on the client's side: wraps a transport of httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn, TypeVar

import httpx

from .app import Render, last_segment, plain_json
from .fault import Delay, DeliverThenTimeout, Malformed, Outbound, Refuse, Reply, Reset, Slow, Timeout
from .run import FaultRun

T = TypeVar("T")


class FaultTransport(httpx.AsyncBaseTransport):
    """`AsyncClient(transport=FaultTransport(inner, FaultRun(plan)))`: requests meet the plan's faults as httpx tells them.

    It also holds the client's read timeout over the inner transport, which in memory has none. Time is the loop's.

    Args:
        inner: Where requests go that nothing happens to.
        run: The plan at work.
        operation: The operation of a path.
        render: The platform's own shape of a `Reply`.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        run: FaultRun,
        *,
        operation: Callable[[str], str] = last_segment,
        render: Render = plain_json,
    ) -> None:
        self._inner = inner
        self._run = run
        self._operation = operation
        self._render = render

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self._run.outbound(self._operation(request.url.path))
        match fault:
            case Refuse():
                raise httpx.ConnectError("connection refused, as the fault plan says", request=request)
            case Timeout():
                await _hang(request, fault.after)
            case Reply():
                await request.aread()
                status, headers, body = self._render(fault)
                return httpx.Response(status, headers=headers, content=body)
            case Reset(takes_effect=False):
                return _cut(httpx.Response(200), b" " * fault.after_bytes, request)
            case Delay():
                await _within(request, asyncio.sleep(fault.seconds))
            case _:
                pass
        response = await self._send(request)
        return await self._changed(fault, request, response)

    async def aclose(self) -> None:
        """Closes the inner transport."""
        await self._inner.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        return await _within(request, self._inner.handle_async_request(request))

    async def _changed(
        self, fault: Outbound | None, request: httpx.Request, response: httpx.Response
    ) -> httpx.Response:
        match fault:
            case DeliverThenTimeout():
                await response.aread()
                await response.aclose()
                await _hang(request, fault.after)
            case Malformed():
                await response.aread()
                await response.aclose()
                headers = {"content-type": fault.media_type}
                return httpx.Response(fault.status, headers=headers, content=fault.body.encode())
            case Reset():
                content = await response.aread()
                await response.aclose()
                return _cut(response, content[: fault.after_bytes], request)
            case Slow():
                content = await response.aread()
                await response.aclose()
                return _streamed(response, _paced(request, content, fault.bytes_per_second))
            case _:
                pass
        return response


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces


def _streamed(response: httpx.Response, pieces: AsyncIterator[bytes]) -> httpx.Response:
    gone = ("content-length", "content-encoding")
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in gone]
    return httpx.Response(response.status_code, headers=headers, stream=_Pieces(pieces))


def _cut(response: httpx.Response, content: bytes, request: httpx.Request) -> httpx.Response:
    if not content:
        raise httpx.ReadError("connection reset, as the fault plan says", request=request)
    return _streamed(response, _breaking(content))


async def _breaking(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise httpx.ReadError("connection reset, as the fault plan says")


async def _paced(request: httpx.Request, content: bytes, bytes_per_second: float) -> AsyncIterator[bytes]:
    size = max(1, int(bytes_per_second))
    for start in range(0, len(content), size):
        piece = content[start : start + size]
        await _within(request, asyncio.sleep(len(piece) / bytes_per_second))
        yield piece


async def _within(request: httpx.Request, work: Awaitable[T]) -> T:
    """The result of `work` unless the client's read timeout is over first."""
    limit = asyncio.timeout(_read_timeout(request))
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise httpx.ReadTimeout("no answer within the client's timeout", request=request) from None


async def _hang(request: httpx.Request, after: float | None) -> NoReturn:
    """Answers nothing: until the client's timeout, or `after` seconds, or for ever."""
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    try:
        async with asyncio.timeout(after):
            await _within(request, never)
    except TimeoutError:
        pass
    raise httpx.RemoteProtocolError("the server went away without an answer", request=request)


def _read_timeout(request: httpx.Request) -> float | None:
    return request.extensions.get("timeout", {}).get("read")
