"""One ASGI connection driven by hand: precise about disconnects, which no client library is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Message


class Exchange:
    """The server's side of one connection.

    Args:
        pieces: The request body as it arrives; a client that is to leave half way passes `complete=False`.
        version: ASGI 2.3 tells of a client that left by message only, 2.4 also by `OSError` from `send`.
    """

    def __init__(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        pieces: Iterable[bytes] = (b"",),
        complete: bool = True,
        version: str = "2.4",
        kind: str = "http",
        **scope: Any,
    ) -> None:
        pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
        self.scope: dict[str, Any] = {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": version},
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
            **scope,
        }
        self.sent: list[Message] = []
        self.pieces_read = 0
        self.stalled = asyncio.Event()
        self.stalled.set()
        self._version = version
        self._left = asyncio.Event()
        self._sending = False
        pieces = list(pieces)
        self._inbox: list[Message] = [
            {"type": "http.request", "body": piece, "more_body": not complete or position < len(pieces) - 1}
            for position, piece in enumerate(pieces)
        ]

    def leave(self) -> None:
        self._left.set()

    def stall(self) -> None:
        """From now on the reader takes nothing."""
        self.stalled.clear()

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        if self._inbox:
            self.pieces_read += 1
            return self._inbox.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        assert not self._sending, "found two sends at once, expected one after the other"
        self._sending = True
        try:
            await self._take(message)
        finally:
            self._sending = False

    async def _take(self, message: Message) -> None:
        await asyncio.sleep(0)
        await self.stalled.wait()
        if self._left.is_set():
            if self._version >= "2.4":
                raise OSError("the client left")
            return
        self.sent.append(message)

    async def run(self, app: ASGIApp) -> Exchange:
        await app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def frames(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message["type"].endswith(".body")]

    @property
    def body(self) -> bytes:
        return b"".join(self.frames)

    @property
    def ended(self) -> bool:
        last = self.sent[-1] if self.sent else {}
        return last.get("type") == "http.response.body" and not last.get("more_body", False)
