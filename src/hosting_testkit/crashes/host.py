"""A host under a supervisor: killed at any step, and started again on the rows that it left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Self

import httpx

from hosting import AgentFrameworkHost, Channel

from ..clock import VirtualClock
from ..host import BASE_URL
from ..transports.http import StreamingASGITransport
from .network import SERVED, InboundTransport, OutboundTransport
from .plan import CrashPlan
from .process import Process, tasks_counted
from .store import ProcessStore

_LOOK = 2.0
_LONGEST = 300.0


class Life:
    """What the channels of one life are built from.

    Attributes:
        number: Which life this is, from 1.
    """

    def __init__(self, plan: CrashPlan, process: Process, clients: AsyncExitStack) -> None:
        self.number = process.number
        self._plan = plan
        self._process = process
        self._clients = clients

    def client(self, transport: httpx.AsyncBaseTransport, **options: Any) -> httpx.AsyncClient:
        """A client for a channel, whose every call is a step; closed after the life.

        Args:
            transport: The way to the platform, such as `BotPlatform.transport()`.
            options: As for `httpx.AsyncClient`.
        """
        outbound = OutboundTransport(transport, self._plan, self._process)
        client = httpx.AsyncClient(transport=outbound, **options)
        self._clients.push_async_callback(client.aclose)
        return client


class CrashingHost:
    """`async with CrashingHost(Echo(), lambda life: [MyChannel(http=life.client(sim.transport()))], plan) as host: ...`.

    Runs in virtual time. Whenever the process dies, another one starts; `restart_after` seconds pass in between.

    Args:
        target: The agent or workflow; the same object in every life.
        channels: Makes the channels of a life.
        plan: Where it dies, and what it leaves.
        restart_after: Seconds without a process.
        host_options: Further arguments of `AgentFrameworkHost`.

    Attributes:
        host: The host that lives, or lived last.
        client: A client at `BASE_URL`, for all lives.
        lives: How many processes there were.
    """

    host: AgentFrameworkHost

    def __init__(
        self,
        target: Any,
        channels: Callable[[Life], Sequence[Channel]],
        plan: CrashPlan | None = None,
        *,
        restart_after: float = 1.0,
        **host_options: Any,
    ) -> None:
        self.plan = plan or CrashPlan()
        self.lives = 0
        self._target = target
        self._channels = channels
        self._restart_after = restart_after
        self._options = host_options
        self._stack = AsyncExitStack()
        self._process = Process(0)
        self._door: StreamingASGITransport | None = None
        self._up = asyncio.Event()
        self._stopping = False

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._options.setdefault("time_source", VirtualClock().bind())
        self._stack.enter_context(tasks_counted(loop))
        self._stack.push_async_callback(self.plan.rows.close)
        self.client = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=self.transport(), base_url=BASE_URL)
        )
        self._supervisor = loop.create_task(self._supervise(), name="supervisor")
        try:
            await self.up()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._stack:
            self._stopping = True
            self._process.stopping.set()
            await self._supervisor

    def transport(self) -> httpx.AsyncBaseTransport:
        """The way to whichever process lives: `sim.reach(host.transport())`."""
        return InboundTransport(lambda: (self._door, self._process) if self._door else None)

    async def crash(self) -> None:
        """Kills the process now, and returns when the next one serves."""
        self._process.kill()
        self._leave()
        await self.up()

    async def up(self) -> None:
        """Waits until a process serves.

        Raises:
            Exception: It cannot start, and not because it was killed.
        """
        waiting = asyncio.ensure_future(self._up.wait())
        await asyncio.wait([waiting, self._supervisor], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await self._supervisor

    async def settled(self) -> None:
        """Waits until a process serves and nothing that was accepted is open, for five minutes at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST):
                await asyncio.sleep(_LOOK)
                while not self._up.is_set() or self.plan.kept.open:  # noqa: ASYNC110 - rows tell nobody
                    await asyncio.sleep(_LOOK)

    async def _supervise(self) -> None:
        while not self._stopping:
            self.lives += 1
            process = self._process = Process(self.lives)
            async with AsyncExitStack() as clients:
                life = process.spawn(self._live(process, clients), name=f"life {process.number}")
                try:
                    await process.ended(life)
                finally:
                    self._leave()
            if not self._stopping:
                await asyncio.sleep(self._restart_after)

    async def _live(self, process: Process, clients: AsyncExitStack) -> None:
        channels = self._channels(Life(self.plan, process, clients))
        store = ProcessStore(self.plan, process)
        self.host = AgentFrameworkHost(self._target, channels=channels, state=store, **self._options)
        async with self.host:
            self._door = StreamingASGITransport(process.serve(self.host.app), SERVED)
            clients.push_async_callback(self._door.aclose)
            self._up.set()
            await process.stopping.wait()

    def _leave(self) -> None:
        self._up.clear()
        self._door = None
