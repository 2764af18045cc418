"""The way to one streaming client: frames in order, keep-alives between them, and an eye on the reader."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from .disconnect import ClientGone, OwnCancel, stop_task

if TYPE_CHECKING:
    from starlette.types import Message, Send

GONE = (OSError, ClientDisconnect)
"""How `send` says that the client left: ASGI from 2.4 on, and `ChannelRoutes`."""


class Wire:
    """Writes one response from one task, and ends it when the reader is gone.

    A single timer serves the whole response: it looks at what has been going on since when, so that a frame pays
    for one look at the clock and nothing else.

    Args:
        send: The request's ASGI `send`.
        head: The `http.response.start` message; goes out with the first frame.
        cancel: Ends the task that pumps.
        write_timeout: Seconds that one frame may take to be taken.
        keepalive: Seconds of silence after which `keepalive_frame` is sent; None for never.
        keepalive_frame: What readers of the protocol skip.
    """

    def __init__(
        self,
        send: Send,
        head: Message,
        cancel: OwnCancel,
        *,
        write_timeout: float,
        keepalive: float | None,
        keepalive_frame: bytes,
    ) -> None:
        self._send = send
        self._head = head
        self._cancel = cancel
        self._write_timeout = write_timeout
        self._keepalive = math.inf if keepalive is None else keepalive
        self._keepalive_frame = keepalive_frame
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._writing = False
        self._started = False
        self._clear = False  # nothing stands between the next frame and `send`
        self._ping: asyncio.Task[None] | None = None
        self._timer = self._loop.call_at(self._since + min(self._keepalive, write_timeout), self._look)

    @property
    def untouched(self) -> bool:
        """Nothing was sent, and there is somebody to send to."""
        return not (self._started or self._cancel.requested)

    async def pump(self, frames: AsyncIterator[bytes]) -> None:
        """Sends `frames` to their end.

        Raises:
            ClientGone: The client left.
            Exception: What `frames` raised.
        """
        send, now = self._send, self._loop.time
        async for frame in frames:
            if not self._clear:
                await self._make_way()
            self._since = now()
            self._writing = True
            try:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            except GONE:
                raise ClientGone from None
            self._writing = False

    async def end(self) -> None:
        """Completes the response.

        Raises:
            ClientGone: The client left.
        """
        await self._make_way()
        await self._write({"type": "http.response.body", "body": b"", "more_body": False})

    def leave(self) -> None:
        """The client is gone: cancels the pump where it waits."""
        self._clear = False
        self._cancel.request()

    def stop(self) -> None:
        """No keep-alive and no time-out from here on."""
        self._timer.cancel()

    async def aclose(self) -> None:
        """Ends a keep-alive that is under way; `stop` comes first."""
        if self._ping is not None:
            await stop_task(self._ping)

    async def _make_way(self) -> None:
        """Waits for a keep-alive under way, and sends the head if it is due."""
        if self._ping is not None:
            await asyncio.wait((self._ping,))
            self._ping = None
        if self._cancel.requested:
            raise ClientGone
        if not self._started:
            self._started = True
            await self._write(self._head)
        self._clear = True

    async def _write(self, message: Message) -> None:
        self._since = self._loop.time()
        self._writing = True
        try:
            await self._send(message)
        except GONE:
            raise ClientGone from None
        self._writing = False

    def _look(self) -> None:
        now = self._loop.time()
        due = self._since + (self._write_timeout if self._writing else self._keepalive)
        if now >= due and self._writing:
            self.leave()
            return
        if now >= due:
            self._clear = False
            self._ping = self._loop.create_task(self._send_keepalive(), name="hosting.web.keepalive")
            due = math.inf
        self._timer = self._loop.call_at(
            min(due, now + self._keepalive, now + self._write_timeout), self._look
        )

    async def _send_keepalive(self) -> None:
        try:
            if not self._started:
                self._started = True
                await self._write(self._head)
            await self._write(
                {"type": "http.response.body", "body": self._keepalive_frame, "more_body": True}
            )
        except ClientGone:
            self.leave()
