"""An answer under way, over HTTP or a WebSocket: what has come so far, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import httpx

from ..drivers.turn import Inbound
from ..drivers.wire import Error, Reply, Terminal, Wire
from ..transports.asgi import BridgeOptions
from ..transports.bridge import Exchange
from ..transports.websocket_wire import WebSocketClosed, WebSocketRejected
from .model import Failed

if TYPE_CHECKING:
    from ..transports.websocket import WebSocketSession
    from .hosted import HostedChannel

_STEP = 0.05
_LONGEST_RESPONSE = 900.0  # beyond the host's own run timeout


class _Reading(Protocol):
    """One answer being read; its attributes grow."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes | bytearray: ...

    @property
    def frames(self) -> Sequence[str | bytes]: ...

    @property
    def complete(self) -> bool: ...

    async def read(self) -> None:
        """Sends the request and reads until the answer ends."""
        ...

    async def aclose(self) -> None:
        """Disconnects, unless the answer was complete."""
        ...

    @property
    def app_error(self) -> BaseException | None:
        """What left the application as an exception."""
        ...


class OpenReply:
    """An answer under way: what has come of it so far, and what the channel has sent to its platform since."""

    def __init__(self, hosted: HostedChannel, inbound: Inbound, bridge: BridgeOptions | None) -> None:
        self._hosted = hosted
        self._calls_before = len(hosted.env.calls)
        kind = _SocketReading if inbound.method == "WEBSOCKET" else _HttpReading
        self._reading: _Reading = kind(hosted, inbound, bridge)
        self._task = asyncio.create_task(self._reading.read(), name="conformance reader")

    async def reply(self) -> Reply:
        """What has come so far, as the driver reads it."""
        wire = self.wire()
        return Reply(wire, await self._hosted.decode(wire) if wire.status else ())

    def wire(self) -> Wire:
        """What has come so far."""
        reading = self._reading
        wire = Wire(
            status=reading.status,
            headers=reading.headers,
            body=bytes(reading.body),
            complete=reading.complete,
            calls=tuple(self._hosted.env.calls[self._calls_before :]),
            frames=tuple(reading.frames),
        )
        return self._hosted.with_status(wire) if wire.frames else wire

    async def shows(self, seen: Callable[[Reply], bool], *, within: float = 5.0) -> bool:
        """Whether `seen` becomes true in `within` virtual seconds."""
        for _ in range(round(within / _STEP)):
            if seen(await self.reply()):
                return True
            await asyncio.sleep(_STEP)
        return False

    async def finished(self) -> None:
        """Waits until the response has ended.

        Raises:
            Failed: It does not end.
        """
        _, pending = await asyncio.wait((self._task,), timeout=_LONGEST_RESPONSE)
        if pending:
            where = self._hosted.waiting_lines()
            raise Failed(
                f"the response did not end in {_LONGEST_RESPONSE:g} virtual seconds"
                + (f"\nthe channel waits at {', '.join(where)}" if where else "")
            )
        await self._task

    async def aclose(self) -> None:
        """Disconnects, unless the answer was complete."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        await self._reading.aclose()
        if self._reading.app_error is not None:
            self._hosted.log.add("app.error", type(self._reading.app_error).__name__)


class _HttpReading:
    """A response, its body read in chunks as they come."""

    frames: Sequence[str | bytes] = ()

    def __init__(self, hosted: HostedChannel, inbound: Inbound, bridge: BridgeOptions | None) -> None:
        self._hosted, self._inbound, self._bridge = hosted, inbound, bridge
        self._response: httpx.Response | None = None
        self.body = bytearray()
        self.complete = False

    @property
    def status(self) -> int:
        return self._response.status_code if self._response else 0

    @property
    def headers(self) -> Mapping[str, str]:
        return _lower(self._response.headers.items()) if self._response else {}

    @property
    def app_error(self) -> BaseException | None:
        return self._exchange.app_error if self._exchange is not None else None

    async def read(self) -> None:
        response = self._response = await self._hosted.exchange(self._inbound, self._bridge)
        try:
            async for chunk in response.aiter_bytes():
                self.body += chunk
            self.complete = not (self._exchange and self._exchange.disconnected)
        except httpx.RemoteProtocolError:
            self._hosted.log.add("wire.broken", f"after {len(self.body)} bytes")

    async def aclose(self) -> None:
        if self._response is not None:
            await self._response.aclose()

    @property
    def _exchange(self) -> Exchange | None:
        return self._response.extensions.get("exchange") if self._response else None


class _SocketReading:
    """A WebSocket: one message goes out, messages come until the server closes or says that the answer is over."""

    body: bytes | bytearray = b""

    def __init__(self, hosted: HostedChannel, inbound: Inbound, bridge: BridgeOptions | None) -> None:
        self._hosted, self._inbound, self._bridge = hosted, inbound, bridge
        self._stack = AsyncExitStack()
        self._socket: WebSocketSession | None = None
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.frames: list[str | bytes] = []
        self.complete = False

    @property
    def app_error(self) -> BaseException | None:
        return self._socket.app_error if self._socket else None

    async def read(self) -> None:
        opening = self._hosted.socket(self._inbound, self._bridge)
        try:
            socket = self._socket = await self._stack.enter_async_context(opening)
        except WebSocketRejected as refused:
            self.status, self.body, self.complete = refused.status, refused.body, True
            self.headers = _lower((k.decode("latin-1"), v.decode("latin-1")) for k, v in refused.headers)
            return
        self.status = 101
        self.headers = _lower((k.decode("latin-1"), v.decode("latin-1")) for k, v in socket.accepted.headers)
        try:
            await socket.send_text(self._inbound.body.decode())
            while not self.complete:
                self.frames.append(await socket.receive())
                self.complete = await self._is_over(self.frames[-1])
        except WebSocketClosed as closed:
            self._hosted.log.add("wire.closed", str(closed.code))
            self.complete = closed.code == 1000

    async def aclose(self) -> None:
        if self._socket is not None and not self.complete:
            self._socket.disconnect()
        await self._stack.aclose()

    async def _is_over(self, frame: str | bytes) -> bool:
        outs = await self._hosted.decode(Wire(status=200, frames=(frame,)))
        return any(isinstance(out, Error | Terminal) for out in outs)


def _lower(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers}
