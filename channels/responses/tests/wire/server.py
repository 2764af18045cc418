"""A real server on loopback, for clients that bring their own sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from hosting import AgentFrameworkHost
from hosting_responses import ResponsesChannel


@asynccontextmanager
async def listening(target: Any, **channel: Any) -> AsyncIterator[str]:
    """Serves `target` on an ephemeral port; gives the base URL."""
    host = AgentFrameworkHost(target, channels=[ResponsesChannel(**channel)])
    started = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            host.app, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await started.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
