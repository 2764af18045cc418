"""A chat platform in memory: takes messages over HTTP and refuses what a real one refuses."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hosting.messaging import utf16_length

TEXT_LIMIT = 100
"""Most UTF-16 units of one message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that people see."""

    chat: str
    text: str
    thread: str | None = None


class ChatPlatform:
    """The platform of the reference bot.

    Attributes:
        messages: What people see, in order.
        app: Its API, an ASGI app: `POST /send {"chat", "thread", "text"}`.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.app = Starlette(routes=[Route("/send", self._send, methods=["POST"])])

    async def _send(self, request: Request) -> JSONResponse:
        try:
            message = msgspec.json.decode(await request.body(), type=Message)
        except msgspec.MsgspecError:
            return JSONResponse({"error": "bad request"}, status_code=400)
        if not message.text.strip() or utf16_length(message.text) > TEXT_LIMIT:
            return JSONResponse({"error": "the text is empty or too long"}, status_code=400)
        self.messages.append(message)
        return JSONResponse({"id": f"m{len(self.messages)}"})
