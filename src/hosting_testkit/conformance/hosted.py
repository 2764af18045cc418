"""One channel in one host: says turns to it and reads what comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from hosting import ChannelContribution

from ..drivers.base import ChannelDriver
from ..drivers.env import Env
from ..drivers.turn import Inbound, Turn
from ..drivers.wire import Out, Reply, Wire
from ..host import InMemoryHost
from ..suspension import suspended_at
from ..targets.recorder import RecordedRun
from ..transports.asgi import BridgeOptions
from ..transports.websocket import WebSocketSession
from .events import EventLog
from .model import Unproven
from .own_lines import OwnLines
from .replies import OpenReply

T = TypeVar("T")

SETTLE = 2.0
"""Virtual seconds in which everything that a turn set going has come to rest."""

_LONGEST_SETTLING = 30
_REFUSED = 400


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
        runs: Sequence[RecordedRun],
        contributions: Sequence[ChannelContribution],
        log: EventLog,
    ) -> None:
        self.driver = driver
        self.env: Env = driver.env
        self.log = log
        self.contributions = contributions
        self._host = host
        self._runs = runs

    @property
    def runs(self) -> Sequence[RecordedRun]:
        """Every run of the target so far."""
        return self._runs

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
            await self.settled()
            wire = opened.wire()
        self.log.add("wire.out", f"{wire.status}, {len(wire.body)} bytes, {len(wire.calls)} platform calls")
        return wire

    async def settled(self) -> None:
        """Waits until what was set going has come to rest: the channel has not called its platform for a while."""
        pause = max(SETTLE, 2 * self.driver.capabilities["edits"].params.get("interval", 0.0))
        await asyncio.sleep(pause / 2)  # what comes at once need not be waited for twice
        calls = len(self.env.calls)
        await asyncio.sleep(pause / 2)
        for _ in range(_LONGEST_SETTLING):
            if len(self.env.calls) == calls:
                return
            calls = len(self.env.calls)
            await asyncio.sleep(pause)

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

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        """A request to an absolute path; a bare one by default."""
        return await self._host.client.request(method, path, headers=dict(headers or {}), content=body)

    async def rest(self, seconds: float = SETTLE) -> None:
        """Lets virtual time pass."""
        await asyncio.sleep(seconds)

    def waiting_lines(self) -> Sequence[str]:
        """The author's lines at which tasks wait just now, the innermost of each."""
        lines = OwnLines(type(self.driver))
        tasks = sorted(asyncio.all_tasks(), key=lambda task: (len(task.get_name()), task.get_name()))
        found = [lines.waiting(suspended_at(task))[-1:] for task in tasks]
        return list(dict.fromkeys(line for task in found for line in task))

    def begin_drain(self) -> None:
        """The host begins to stop: no new turns, while those under way go on."""
        self._host.host.begin_drain()

    async def shutdown(self) -> None:
        """Shuts the host down while connections stay open."""
        await self._host.shutdown()

    async def restart(self) -> None:
        """Shuts the host down and starts another, with fresh channels, on the same state."""
        await self._host.restart()

    async def exchange(
        self, inbound: Inbound, bridge: BridgeOptions | None, *, content: AsyncIterable[bytes] | None = None
    ) -> httpx.Response:
        """The open response to a native request: of the channel, or of the simulator of its platform.

        Args:
            inbound: The request.
            bridge: How the connection behaves.
            content: Sent in place of the request's own body, as it comes.
        """
        channel = inbound.to == "channel"
        path = (self.env.path if channel else "") + inbound.path
        self.log.add("wire.in" if channel else "platform.in", f"{inbound.method} {path}")
        client = self._host.client if channel else ask_driver(self.env.platform_client, "platform()")
        request = client.build_request(
            inbound.method,
            path or "/",
            headers=[(name.encode(), value.encode("latin-1")) for name, value in inbound.headers.items()],
            content=inbound.body if content is None else content,
            extensions={} if bridge is None or not channel else {"bridge": bridge},
        )
        response = await client.send(request, stream=True)
        if response.status_code >= _REFUSED:
            self.log.add("wire.refused", str(response.status_code))
        return response

    def socket(
        self, inbound: Inbound, bridge: BridgeOptions | None
    ) -> AbstractAsyncContextManager[WebSocketSession]:
        """An open WebSocket for a native request with the method `WEBSOCKET`; its message is not sent yet."""
        path = self.env.path + inbound.path
        self.log.add("wire.in", f"WEBSOCKET {path}")
        return self._host.ws(path or "/", headers=dict(inbound.headers), bridge=bridge)

    def with_status(self, wire: Wire) -> Wire:
        """`wire` with the status that the driver reads off its frames."""
        return replace(wire, status=ask_driver(lambda: self.driver.frame_status(wire), "frame_status(wire)"))

    async def decode(self, wire: Wire) -> Sequence[Out]:
        """The driver's reading of a wire; it runs apart from the rule, so that it cannot find what is expected."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Sequence[Out]] = loop.create_future()

        def run() -> None:
            try:
                outcome.set_result(ask_driver(lambda: self.driver.outbound(wire), "outbound(wire)"))
            except BaseException as error:  # the loop would only log it, and this item would wait for ever
                outcome.set_exception(error)

        loop.call_soon(run, context=Context())
        return await outcome


def ask_driver(question: Callable[[], T], name: str) -> T:
    """Calls a driver's hook; whatever goes wrong in it is the driver's, not the channel's."""
    try:
        return question()
    except Exception as error:
        raise Unproven(f"the driver's {name[:200]} raised {type(error).__name__}: {error}") from error
