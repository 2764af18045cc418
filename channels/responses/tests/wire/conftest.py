"""A host in memory with one Responses channel, and the official client in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from hosting_responses import ResponsesChannel
from hosting_testkit.host.memory_host import BASE_URL, InMemoryHost
from hosting_testkit.transports import StreamingASGITransport2


@dataclass(frozen=True, slots=True)
class Served:
    """A running host and its clients."""

    host: InMemoryHost
    openai: Any
    """An `AsyncOpenAI`; untyped, for its parameters are typed more narrowly than the API takes them."""

    async def post(self, path: str = "/responses", **kwargs: Any) -> Any:
        return await self.host.post(path, **kwargs)

    async def get(self, path: str, **kwargs: Any) -> Any:
        return await self.host.get(path, **kwargs)


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves a target: `await serve(target, auth=..., limits=...)`; channel options by name, `host` ones in a dict."""
    async with AsyncExitStack() as stack:

        async def start(target: Any, *, host: dict[str, Any] | None = None, **channel: Any) -> Served:
            running = await stack.enter_async_context(
                InMemoryHost(target, lambda: [ResponsesChannel(**channel)], **(host or {}))
            )
            http = httpx2.AsyncClient(transport=StreamingASGITransport2(running.host.app))
            client = AsyncOpenAI(base_url=BASE_URL, api_key="alice", http_client=http, max_retries=0)
            await stack.enter_async_context(client)
            return Served(running, client)

        yield start
