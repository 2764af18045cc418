"""One channel in one host: says turns to it and reads what comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any, TypeVar

import httpx

from hosting import ChannelContribution

from ..drivers.base import ChannelDriver
from ..drivers.env import Env
from ..drivers.turn import Inbound, Turn
from ..drivers.wire import Out, Reply, Wire
from ..host import InMemoryHost
from ..targets.recorder import RecordedRun, Recorder
from ..transports.asgi import BridgeOptions
from ..transports.bridge import Exchange
from .events import EventLog
from .model import Failed, Unproven

T = TypeVar("T")

SETTLE = 2.0
"""Virtual seconds in which everything that a turn set going has come to rest."""

_STEP = 0.05
_LONGEST_RESPONSE = 900.0  # beyond the host's own run timeout


class HostedChannel:
    """What a rule works with; made by `Kit.host`.

    Attributes:
        driver: The channel's driver.
        env: The channel's surroundings.
        log: The item's event log.
        contributions: What the channel contributed.
    """

    def __init__(
        self,
        driver: ChannelDriver,
        host: InMemoryHost,
        recorder: Recorder,
        contributions: Sequence[ChannelContribution],
        log: EventLog,
    ) -> None:
        self.driver = driver
        self.env: Env = driver.env
        self.log = log
        self.contributions = contributions
        self._host = host
        self._recorder = recorder

    @property
    def runs(self) -> Sequence[RecordedRun]:
        """Every run of the target so far."""
        return self._recorder.runs

    async def turn(self, text: str = "hello", **fields: Any) -> Reply:
        """Says one turn and waits until everything it set going has come to rest; see `Turn` for `fields`."""
        wire = await self.wire(self.inbound(Turn(text=text, **fields)))
        return Reply(wire, await self.decode(wire))

    def inbound(self, turn: Turn) -> Inbound:
        """The driver's native request for `turn`."""
        return ask_driver(lambda: self.driver.inbound(turn), f"inbound({turn!r})")

    async def wire(self, inbound: Inbound, *, bridge: BridgeOptions | None = None) -> Wire:
        """Sends a native request, reads the answer to its end and waits until all is at rest."""
        async with self.open(inbound, bridge=bridge) as opened:
            await opened.finished()
            await asyncio.sleep(SETTLE)
            wire = opened.wire()
        self.log.add("wire.out", f"{wire.status}, {len(wire.body)} bytes, {len(wire.calls)} platform calls")
        return wire

    @asynccontextmanager
    async def open(
        self, inbound: Inbound, *, bridge: BridgeOptions | None = None
    ) -> AsyncGenerator[OpenReply]:
        """Sends a native request whose answer is read in the background; leaving the block disconnects."""
        opened = OpenReply(self, inbound, bridge)
        try:
            yield opened
        finally:
            await opened.aclose()

    async def request(self, method: str, path: str) -> httpx.Response:
        """A bare request to an absolute path."""
        return await self._host.client.request(method, path)

    async def exchange(self, inbound: Inbound, bridge: BridgeOptions | None) -> httpx.Response:
        """The open response to a native request."""
        self.log.add("wire.in", f"{inbound.method} {self.env.path}{inbound.path}")
        request = self._host.client.build_request(
            inbound.method,
            (self.env.path + inbound.path) or "/",
            headers=dict(inbound.headers),
            content=inbound.body,
            extensions={} if bridge is None else {"bridge": bridge},
        )
        return await self._host.client.send(request, stream=True)

    async def decode(self, wire: Wire) -> Sequence[Out]:
        """The driver's reading of a wire; it runs apart from the rule, so that it cannot find what is expected."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Sequence[Out]] = loop.create_future()

        def run() -> None:
            try:
                outcome.set_result(ask_driver(lambda: self.driver.outbound(wire), "outbound(wire)"))
            except Unproven as error:
                outcome.set_exception(error)

        loop.call_soon(run, context=Context())
        return await outcome


class OpenReply:
    """An answer under way: what has come of it so far, and what the channel has sent to its platform since."""

    def __init__(self, hosted: HostedChannel, inbound: Inbound, bridge: BridgeOptions | None) -> None:
        self._hosted = hosted
        self._calls_before = len(hosted.env.calls)
        self._response: httpx.Response | None = None
        self._body = bytearray()
        self._complete = False
        self._reading = asyncio.create_task(self._read(inbound, bridge), name="conformance reader")

    async def reply(self) -> Reply:
        """What has come so far, as the driver reads it."""
        wire = self.wire()
        return Reply(wire, await self._hosted.decode(wire) if wire.status else ())

    def wire(self) -> Wire:
        """What has come so far."""
        response = self._response
        return Wire(
            status=response.status_code if response else 0,
            headers={name.lower(): value for name, value in response.headers.items()} if response else {},
            body=bytes(self._body),
            complete=self._complete,
            calls=tuple(self._hosted.env.calls[self._calls_before :]),
        )

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
        _, pending = await asyncio.wait((self._reading,), timeout=_LONGEST_RESPONSE)
        if pending:
            raise Failed(f"the response did not end in {_LONGEST_RESPONSE:g} virtual seconds")
        await self._reading

    async def aclose(self) -> None:
        """Disconnects, unless the answer was complete."""
        self._reading.cancel()
        await asyncio.wait((self._reading,))
        if self._response is not None:
            await self._response.aclose()
        if self._exchange is not None and self._exchange.app_error is not None:
            self._hosted.log.add("app.error", type(self._exchange.app_error).__name__)

    @property
    def _exchange(self) -> Exchange | None:
        return self._response.extensions["exchange"] if self._response else None

    async def _read(self, inbound: Inbound, bridge: BridgeOptions | None) -> None:
        response = self._response = await self._hosted.exchange(inbound, bridge)
        try:
            async for chunk in response.aiter_bytes():
                self._body += chunk
            self._complete = not (self._exchange and self._exchange.disconnected)
        except httpx.RemoteProtocolError:
            self._hosted.log.add("wire.broken", f"after {len(self._body)} bytes")


def ask_driver(question: Callable[[], T], name: str) -> T:
    """Calls a driver's hook; whatever goes wrong in it is the driver's, not the channel's."""
    try:
        return question()
    except Exception as error:
        raise Unproven(f"the driver's {name[:200]} raised {type(error).__name__}: {error}") from error
