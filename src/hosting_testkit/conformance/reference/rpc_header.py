"""Middleware of the reference RPC channel: says on each of its answers which protocol they speak."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class VersionHeader:
    """Adds `x-rpc-version` to every answer."""

    NAME = "x-rpc-version"

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[self.NAME] = "1"
            await send(message)

        await self._app(scope, receive, send_with_version)
