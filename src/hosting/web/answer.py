"""ASGI answers of our own: one that is sent at once, and one that is pumped (contract 7.3, 7.6).

Both are plain ASGI callables: return one from a Starlette endpoint. Neither lets an exception out because the
client left, and neither leaves anything to the garbage collector.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from ._wire import GONE, Wire
from .disconnect import ClientGone, OwnCancel, stop_task, watch_for_disconnect
from .sse import KEEP_ALIVE

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

_UNBUFFERED = {"cache-control": "no-store", "x-accel-buffering": "no"}


class JsonAnswer:
    """A complete body, sent in two messages.

    Args:
        body: The encoded body.
        status: HTTP status.
        headers: Sent beside `content-type` and `content-length`; a `content-type` here wins.
        media_type: The content type.
    """

    __slots__ = ("_head", "body", "status")

    def __init__(
        self,
        body: bytes,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        self.body = body
        self.status = status
        raw = _raw_headers(headers, media_type)
        raw.append((b"content-length", b"%d" % len(body)))
        self._head: Message = {"type": "http.response.start", "status": status, "headers": raw}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b"" if scope.get("method") == "HEAD" else self.body
        try:
            await send(self._head)
            await send({"type": "http.response.body", "body": body})
        except GONE:
            return


class StreamingAnswer:
    """Pumps frames to the client until they end or the client leaves.

    The frames are pulled and closed in the request's own task, so that a frame which is ready at once costs no
    task. Status and headers go out with the first frame: what `frames` raises before it leaves the answer as it
    is, and can still be rendered with a status of its own. What it raises later is logged, and the response
    ends. When the client leaves (in either ASGI style), takes nothing for `write_timeout`, or the request is
    cancelled, `frames` is cancelled where it waits and closed before this returns.

    Args:
        frames: Whole frames of the protocol: an asynchronous generator that closes what it reads from in its
            own `finally`.
        write_timeout: Seconds that one frame may take to be taken before the client counts as gone.
        logger: Where a failure after the first byte is told.
        media_type: The content type.
        status: HTTP status.
        headers: Sent beside `content-type`, and for event streams beside what keeps caches and proxies from
            holding them back.
        keepalive: Seconds of silence after which `keepalive_frame` is sent; None for never.
        keepalive_frame: What readers of the protocol skip.
    """

    def __init__(
        self,
        frames: AsyncIterator[bytes],
        *,
        write_timeout: float,
        logger: logging.Logger,
        media_type: str = "text/event-stream",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        keepalive: float | None = None,
        keepalive_frame: bytes = KEEP_ALIVE,
    ) -> None:
        self.status = status
        self._frames = frames
        self._logger = logger
        self._write_timeout = write_timeout
        self._keepalive = keepalive
        self._keepalive_frame = keepalive_frame
        raw = _raw_headers(headers, media_type, _UNBUFFERED if media_type == "text/event-stream" else {})
        self._head: Message = {"type": "http.response.start", "status": status, "headers": raw}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cancel = OwnCancel()
        wire = Wire(
            send,
            self._head,
            cancel,
            write_timeout=self._write_timeout,
            keepalive=self._keepalive,
            keepalive_frame=self._keepalive_frame,
        )
        watcher = watch_for_disconnect(receive, wire.leave)
        try:
            with cancel:
                await self._pump(wire)
        except ClientGone:
            pass
        finally:
            wire.stop()
            try:
                await self._close_frames()
            finally:
                await stop_task(watcher)
                await wire.aclose()

    async def _pump(self, wire: Wire) -> None:
        try:
            await wire.pump(self._frames)
        except ClientGone:
            raise
        except Exception:
            if wire.untouched:
                raise
            self._logger.exception("A stream failed after its first byte; the response ends here.")
        await wire.end()

    async def _close_frames(self) -> None:
        close = getattr(self._frames, "aclose", None)
        if close is None:
            return
        try:
            await close()
        except Exception:
            self._logger.exception("A stream failed while it was closed.")


def _raw_headers(
    headers: Mapping[str, str] | None, media_type: str, defaults: Mapping[str, str] = {}
) -> list[tuple[bytes, bytes]]:
    if not headers and not defaults:
        return [(b"content-type", media_type.encode("latin-1"))]
    given = {name.lower(): value for name, value in (headers or {}).items()}
    merged = {"content-type": media_type, **defaults, **given}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in merged.items()]
