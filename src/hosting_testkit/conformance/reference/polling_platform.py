"""What the polling reference bot fetches from: updates as the kit hands them in, each given until it is confirmed."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from ...transports.asgi import ASGIApp
from ...transports.wakeup import Wakeup


class FetchedUpdates:
    """Puts `POST /bot/getUpdates {"offset", "timeout"}` before an API, and `POST /deliver` for the kit.

    Updates are kept as they come, with any id, also one that was there before: an offset counts them.

    Args:
        api: The rest of the API.

    Attributes:
        app: Both together.
        waiting: What is not confirmed, by offset.
    """

    def __init__(self, api: ASGIApp) -> None:
        self.waiting: dict[int, Any] = {}
        self._next = 1
        self._wakeup = Wakeup()
        self.app = Starlette(
            routes=[
                Route("/deliver", self._deliver, methods=["POST"]),
                Route("/bot/getUpdates", self._get_updates, methods=["POST"]),
                Mount("/", api),
            ]
        )

    async def _deliver(self, request: Request) -> JSONResponse:
        self.waiting[self._next] = msgspec.json.decode(await request.body())
        self._next += 1
        self._wakeup.notify()
        return JSONResponse({"ok": True}, status_code=202)

    async def _get_updates(self, request: Request) -> JSONResponse:
        params = msgspec.json.decode(await request.body())
        self.waiting = {number: item for number, item in self.waiting.items() if number >= params["offset"]}
        try:
            async with asyncio.timeout(params["timeout"]):
                await self._wakeup.until(lambda: self.waiting)
        except TimeoutError:
            pass
        found = [{"offset": number, "update": item} for number, item in self.waiting.items()]
        return JSONResponse({"ok": True, "result": found})
