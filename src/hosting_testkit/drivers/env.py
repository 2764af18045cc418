"""What the kit gives a driver to build its channel from: an address, secrets, clients, options."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from ..transports.asgi import ASGIApp
from ..transports.http import StreamingASGITransport
from .wire import PlatformCall


class Env:
    """The surroundings of one channel in one item; nothing in it outlives the item.

    Args:
        name: The channel's name.
        path: The channel's path.
        options: Hooks and other common options that this item needs; pass them on with `**env.options`.
        platform: The simulator that outbound clients reach.
        gives_client: False makes `outbound` return None, so that the channel has to make its own client.
        latency: Seconds that the platform takes for each call.
        log: Told of each call.
    """

    def __init__(
        self,
        *,
        name: str,
        path: str,
        options: Mapping[str, Any] | None = None,
        platform: ASGIApp | None = None,
        gives_client: bool = True,
        latency: float = 0.0,
        log: Callable[[str, str], None] | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.options: dict[str, Any] = {"name": name, "path": path, **(options or {})}
        self.secrets: dict[str, str] = {}
        self.calls: list[PlatformCall] = []
        self.clients: list[httpx.AsyncClient] = []
        self.latency = latency
        self.log = log or _not_logged
        self._platform = platform
        self._gives_client = gives_client

    def secret(self, name: str, *, length: int = 40) -> str:
        """A random secret, the same for the same name. The kit looks for it in everything that leaves the channel."""
        if name not in self.secrets:
            self.secrets[name] = secrets.token_hex(length)[:length]
        return self.secrets[name]

    def outbound(self, base_url: str) -> httpx.AsyncClient | None:
        """A client whose requests reach the driver's simulator and nothing else, or None: make your own."""
        if not self._gives_client:
            return None
        client = httpx.AsyncClient(base_url=base_url, transport=_PlatformTransport(self, self._platform))
        self.clients.append(client)
        return client


def _not_logged(kind: str, detail: str) -> None:
    return


class _PlatformTransport(httpx.AsyncBaseTransport):
    """Hands requests to the simulator and records them; without a simulator every host is unreachable."""

    def __init__(self, env: Env, platform: ASGIApp | None) -> None:
        self._env = env
        self._bridge = StreamingASGITransport(platform) if platform else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._bridge is None:
            raise httpx.ConnectError(f"no simulator stands behind {request.url.host}")
        if self._env.latency:
            await asyncio.sleep(self._env.latency)
        body = await request.aread()
        response = await self._bridge.handle_async_request(request)
        call = PlatformCall(
            method=request.method, path=request.url.path, body=body, status=response.status_code
        )
        self._env.calls.append(call)
        self._env.log("platform", f"{call.method} {call.path} -> {call.status}")
        return response

    async def aclose(self) -> None:
        if self._bridge is not None:
            await self._bridge.aclose()
