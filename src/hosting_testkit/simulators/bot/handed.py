"""Updates that a test makes itself, before a platform's own polls: any content, any id, also one that was there before."""

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


class HandedUpdates:
    """For drivers of channels that poll: `POST /handed` takes an update, `POST /bot/getUpdates` gives it.

    A text that is no number is replaced as an id by the next free one, the same for the same text, so that a poller can
    count on from it; what is neither a text nor a number stays, and comes once. Any other update is given until a poll with a higher `offset` confirms it, and at least once: also when its id was confirmed
    before, as by a platform that sends an update again.

    Args:
        api: The rest of the platform's API.

    Attributes:
        app: Both together.
    """

    PATH = "/handed"

    def __init__(self, api: ASGIApp) -> None:
        self._waiting: list[dict[str, Any]] = []
        self._given: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}
        self._wakeup = Wakeup()
        self.app: ASGIApp = Starlette(
            routes=[
                Route(self.PATH, self._take, methods=["POST"]),
                Route("/bot/getUpdates", self._give, methods=["POST"]),
                Mount("/", api),
            ]
        )

    async def _take(self, request: Request) -> JSONResponse:
        update = msgspec.json.decode(await request.body(), type=dict[str, Any])
        update_id: Any = update.get("id")
        countable = isinstance(update_id, int | str)
        self._waiting.append({**update, "id": self._number(str(update_id))} if countable else update)
        self._wakeup.notify()
        return JSONResponse({"ok": True}, status_code=202)

    def _number(self, update_id: str) -> int:
        free = max(self._numbers.values(), default=0) + 1
        number = int(update_id) if update_id.isascii() and update_id.isdigit() else free
        return self._numbers.setdefault(update_id, number)

    async def _give(self, request: Request) -> JSONResponse:
        params = msgspec.json.decode(await request.body())
        offset = params.get("offset", 0)
        again = [
            update for update in self._given if isinstance(update.get("id"), int) and update["id"] >= offset
        ]
        self._waiting, self._given = again + self._waiting, []
        try:
            async with asyncio.timeout(params.get("timeout", 0)):
                await self._wakeup.until(lambda: self._waiting)
        except TimeoutError:
            pass
        self._given, self._waiting = self._waiting, []
        return JSONResponse({"ok": True, "result": self._given})
