"""The network of a process: what it sends, and how others reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

import httpx

from ..transports.asgi import BridgeOptions
from ..transports.http import StreamingASGITransport
from .plan import CrashPlan, Step
from .process import Process


class OutboundTransport(httpx.AsyncBaseTransport):
    """What a process sends. A call that left arrives, whatever becomes of the process; its answer is read whole.

    Args:
        inner: The way to the platform.
        plan: Counts each call.
        process: After whose death nothing leaves.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, plan: CrashPlan, process: Process) -> None:
        self._inner = inner
        self._plan = plan
        self._process = process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number = self._plan.begin(self._process, Step("call", f"{request.method} {request.url.path}"))
        sending = asyncio.get_running_loop().create_task(
            self._sent(request), name=f"sent {request.url.path}", context=Context()
        )
        sending.add_done_callback(_retrieve)
        response = await asyncio.shield(sending)
        self._plan.end(self._process, number)
        return response

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    async def aclose(self) -> None:
        await self._inner.aclose()


class InboundTransport(httpx.AsyncBaseTransport):
    """The way to whichever process lives; there is none between two lives.

    Args:
        living: The transport to the process that serves now, and that process; None while none serves.
    """

    def __init__(self, living: Callable[[], tuple[StreamingASGITransport, Process] | None]) -> None:
        self._living = living

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = self._living()
        if found is None:
            raise httpx.ConnectError("no process listens", request=request)
        transport, process = found
        response = await transport.handle_async_request(request)
        if process.dead and response.status_code == _ERROR:
            await response.aclose()
            raise httpx.ReadError("the process was killed", request=request)
        return response


_ERROR = 500

SERVED = BridgeOptions(raise_app_errors=False, await_app=False, grace=60.0)
"""As a server does: errors of the app are 500, and what a request has begun goes on after its answer."""


def _retrieve(task: asyncio.Task[httpx.Response]) -> None:
    """A dead process is not told how its call ended."""
    if not task.cancelled():
        task.exception()
