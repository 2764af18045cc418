"""A whole host in memory: true lifespan, true routes, no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import httpx

from hosting import AgentFrameworkHost, Channel, InMemoryHostStateStore

from ..clock import VirtualClock, VirtualLoop
from ..transports.asgi import BridgeOptions
from ..transports.http import StreamingASGITransport
from ..transports.lifespan import lifespan
from ..transports.websocket import WebSocketSession, connect

_SERVER = ("127.0.0.1", 8000)
BASE_URL = "http://127.0.0.1:8000"
"""Loopback in every respect, so that the default `auth="loopback"` lets requests in (contract 17.2)."""


class InMemoryHost:
    """Runs `AgentFrameworkHost` for a test: `async with InMemoryHost(Echo(), [MyChannel()]) as host: ...`.

    In a `VirtualLoop` the host takes its time from the loop. State outlives `restart`, as in a durable store.

    Args:
        target: The agent or workflow.
        channels: The channels; or a callable that makes them, so that a restart gets new ones.
        bridge: How connections behave; by default app errors are raised in the test.
        host_options: Further arguments of `AgentFrameworkHost`.

    Attributes:
        client: An `httpx.AsyncClient` at `BASE_URL`; streams as they are sent.
        host: The host itself, for its public methods.
    """

    client: httpx.AsyncClient
    host: AgentFrameworkHost

    def __init__(
        self,
        target: Any,
        channels: Sequence[Channel] | Callable[[], Sequence[Channel]],
        *,
        bridge: BridgeOptions | None = None,
        **host_options: Any,
    ) -> None:
        self._target = target
        self._channels = channels
        self._bridge = bridge
        self._options = host_options
        self._stack = AsyncExitStack()
        self._life = AsyncExitStack()
        self._memory: _KeptStore | None = None

    async def __aenter__(self) -> Self:
        if not {"state", "state_dir"} & self._options.keys():
            self._memory = self._options["state"] = _KeptStore()
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._stack.aclose()
        finally:
            if self._memory is not None:
                await self._memory.discard()

    async def restart(self) -> None:
        """Shuts the host down in good order and starts another one on the same state."""
        await self._stack.aclose()
        await self._start()

    async def shutdown(self) -> None:
        """Ends the application's life cycle while connections stay open, as a server does that lets them finish."""
        await self._life.aclose()

    async def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """One GET, answered in full."""
        return await self.client.get(path, **kwargs)

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        """One POST, answered in full; arguments as `httpx.AsyncClient.post`."""
        return await self.client.post(path, **kwargs)

    def stream(self, method: str, path: str, **kwargs: Any) -> AbstractAsyncContextManager[httpx.Response]:
        """One request whose answer is read as it comes; leaving the block disconnects."""
        return self.client.stream(method, path, **kwargs)

    def ws(
        self, path: str, *, bridge: BridgeOptions | None = None, **kwargs: Any
    ) -> AbstractAsyncContextManager[WebSocketSession]:
        """A WebSocket; arguments as `hosting_testkit.transports.websocket.connect`, `bridge` in place of the host's."""
        headers = {"host": f"{_SERVER[0]}:{_SERVER[1]}", **kwargs.pop("headers", {})}
        options = replace(bridge or self._bridge or BridgeOptions(), server=_SERVER)
        return connect(self.host.app, path, headers=headers, options=options, **kwargs)

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            self._options.setdefault("time_source", VirtualClock().bind(loop))
        channels = self._channels() if callable(self._channels) else self._channels
        self.host = AgentFrameworkHost(self._target, channels=channels, **self._options)
        app = self.host.app
        async with AsyncExitStack() as starting:
            self._life = await starting.enter_async_context(AsyncExitStack())
            await self._life.enter_async_context(lifespan(app))
            transport = StreamingASGITransport(app, self._bridge)
            self.client = await starting.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url=BASE_URL)
            )
            self._stack = starting.pop_all()


class _KeptStore(InMemoryHostStateStore):
    """Closed by its owner, not by the host, so that its rows outlive a restart."""

    async def close(self) -> None:
        return

    async def discard(self) -> None:
        await super().close()
