"""A client that reads an answer piece by piece, when it likes, and leaves when it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import httpx

from ..drivers.turn import Inbound
from ..drivers.wire import Error, Terminal, Wire
from ..transports.asgi import BridgeOptions
from ..transports.bridge import BrokenResponse, Exchange
from ..transports.websocket import WebSocketSession
from ..transports.websocket_wire import WebSocketClosed
from .hosted import HostedChannel


class HandReader(Protocol):
    """One open answer; nothing is read that is not asked for."""

    async def read(self) -> bytes | None:
        """The next piece, None at the end."""
        ...

    def leave(self) -> None:
        """Closes the connection now, and waits for nothing."""
        ...

    @property
    def wire(self) -> Wire:
        """What was read."""
        ...

    @property
    def app_error(self) -> BaseException | None:
        """What left the application as an exception."""
        ...


@asynccontextmanager
async def read_by_hand(
    hosted: HostedChannel, inbound: Inbound, bridge: BridgeOptions
) -> AsyncGenerator[HandReader]:
    """Sends a native request; its answer, or its connection, is read by the caller. Leaving the block disconnects."""
    if inbound.method == "WEBSOCKET":
        async with hosted.socket(inbound, bridge) as socket:
            await socket.send_text(inbound.body.decode())
            reader = _OverSocket(hosted, socket)
            try:
                yield reader
            finally:
                reader.leave()
        return
    response = await hosted.exchange(inbound, bridge)
    try:
        yield _OverHttp(response)
    finally:
        await response.aclose()


async def read_every(reader: HandReader, seconds: float, *, most: int = 1_000) -> None:
    """Takes a piece every so many virtual seconds, at most `most` of them, until the end."""
    for _ in range(most):
        if await reader.read() is None:
            break
        await asyncio.sleep(seconds)


async def loop_turns_until(condition: Callable[[], bool], *, most: int = 200) -> int | None:
    """How often the loop turns, without any time going by, before `condition` holds; None if `most` are not enough."""
    for turns in range(most):
        if condition():
            return turns
        await asyncio.sleep(0)
    return None


class _OverHttp:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._exchange: Exchange = response.extensions["exchange"]
        self._body = bytearray()
        self._complete = False

    async def read(self) -> bytes | None:
        try:
            piece = await anext(self._exchange, None)
        except BrokenResponse:
            return None
        self._complete = piece is None and not self._exchange.disconnected
        self._body += piece or b""
        return piece

    def leave(self) -> None:
        self._exchange.disconnect()

    @property
    def wire(self) -> Wire:
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Wire(
            status=self._response.status_code,
            headers=headers,
            body=bytes(self._body),
            complete=self._complete,
        )

    @property
    def app_error(self) -> BaseException | None:
        return self._exchange.app_error


class _OverSocket:
    def __init__(self, hosted: HostedChannel, socket: WebSocketSession) -> None:
        self._hosted = hosted
        self._socket = socket
        self._frames: list[str | bytes] = []
        self._complete = False

    async def read(self) -> bytes | None:
        if self._complete:
            return None
        try:
            message = await self._socket.receive()
        except WebSocketClosed as closed:
            self._complete = closed.code == 1000
            return None
        self._frames.append(message)
        outs = await self._hosted.decode(Wire(status=200, frames=(message,)))
        self._complete = any(isinstance(out, Error | Terminal) for out in outs)
        return message if isinstance(message, bytes) else message.encode()

    def leave(self) -> None:
        self._socket.disconnect()

    @property
    def wire(self) -> Wire:
        wire = Wire(status=101, complete=self._complete, frames=tuple(self._frames))
        return self._hosted.with_status(wire)

    @property
    def app_error(self) -> BaseException | None:
        return self._socket.app_error
