"""What a client still sends when it has been answered already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

LONGEST = 30.0
"""Seconds that the rest of a body is read for."""

SILENCE = 2.0
"""Seconds without a piece of it after which no more is expected."""

BODY_WAS_READ = "hosting.body_was_read"
"""Stands in the scope of a request once its body was read to the end."""

_SMALL = 65_536
"""Bytes that servers take up without being asked."""


def has_unread_body(scope: Scope) -> bool:
    """Whether the client may still be sending more than the server has taken up by itself."""
    if BODY_WAS_READ in scope:
        return False
    headers = Headers(scope=scope)
    declared = headers.get("content-length", "0")
    return "transfer-encoding" in headers or not declared.isdecimal() or int(declared[:18]) > _SMALL


class HeldEnd:
    """An ASGI `send` that ends the response only after the rest of the request came, which is thrown away.

    Most servers close a connection whose request they have not read to its end. The client's system then throws the
    answer away too, so that a 413 or 401 looks like a broken connection (contract 14.3).

    Args:
        receive: The request's ASGI `receive`.
        send: The request's ASGI `send`.
    """

    __slots__ = ("_receive", "_send")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body" or message.get("more_body", False):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._read_on()
        await self._send({"type": "http.response.body", "body": b""})

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        try:
            while True:
                async with asyncio.timeout_at(min(end, loop.time() + SILENCE)):
                    message = await self._receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
        except TimeoutError:
            return
