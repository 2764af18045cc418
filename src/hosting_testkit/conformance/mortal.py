"""A host in memory that can die at any moment, and be started again on the rows that it left (contract 4.3 to 4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any, Self

import httpx

from hosting import AgentFrameworkHost, Channel, ChannelConfigurationError

from ..crashes.network import SERVED, InboundTransport
from ..crashes.plan import CrashPlan
from ..crashes.process import Process, tasks_counted
from ..crashes.store import ProcessStore
from ..host import BASE_URL, InMemoryHost
from ..transports.asgi import ASGIApp, BridgeOptions
from ..transports.http import StreamingASGITransport
from ..transports.websocket import WebSocketSession, connect
from .model import Failed, RuleStopped, Unproven

DOWN = 502
"""What a balancer answers for a process that is not there."""

_DYING = 60.0


class MortalHost(InMemoryHost):
    """`InMemoryHost` as a process of its own over the rows of a plan; other hosts may share them.

    Args:
        plan: The rows, and what is known of them.
        target: The agent; outlives each process.
        channels: Makes the channels of a process.
        host_options: Further arguments of `AgentFrameworkHost`.
    """

    def __init__(
        self,
        plan: CrashPlan,
        target: Any,
        channels: Callable[[Process], Sequence[Channel]],
        host_options: Mapping[str, Any],
    ) -> None:
        super().__init__(target, ())
        self._plan = plan
        self._served = target
        self._made = channels
        self._given = host_options
        self._process = Process(0)
        self._ended: asyncio.Future[None] | None = None
        self._door: StreamingASGITransport | None = None
        self._app: ASGIApp | None = None
        self._all = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._all.enter_context(tasks_counted(asyncio.get_running_loop()))
        client = httpx.AsyncClient(transport=_Balancer(self._living), base_url=BASE_URL)
        self.client = await self._all.enter_async_context(client)
        try:
            await self.start()
        except BaseException:
            await self._all.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self._all:
            await self.shutdown()

    @property
    def process(self) -> Process:
        """The process that lives, or lived last."""
        return self._process

    async def start(self) -> None:
        """Starts a process, once the one before has ended.

        Raises:
            Failed: It does not start.
            Unproven: The channel that the driver makes is refused.
        """
        await self._over()
        try:
            await self._started()
        except ChannelConfigurationError as error:
            raise Unproven(f"the channel that the driver makes is refused: {error}") from error
        except RuleStopped:
            raise
        except Exception as error:
            raise Failed(f"the application does not start: {type(error).__name__}: {error}") from error

    async def _started(self) -> None:
        process = self._process = Process(self._process.number + 1)
        up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        life = process.spawn(self._live(process, up), name=f"life {process.number}")
        self._ended = asyncio.ensure_future(process.ended(life))
        await asyncio.wait([up, self._ended], return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            ended, self._ended = self._ended, None
            await ended

    async def kill(self) -> None:
        """Ends the process as `kill -9` does."""
        self._process.kill()
        await self._over()

    def strike(self) -> None:
        """`kill`, from inside a call of the process; see `revived`."""
        self._process.kill()
        self._leave()

    async def revived(self) -> bool:
        """Starts another process when this one has died; False if it lives on for a minute."""
        if self._ended is not None:
            await asyncio.wait([self._ended], timeout=_DYING)
        if not self._process.dead:
            return False
        await self.start()
        return True

    async def restart(self) -> None:
        """Stops the process in good order and starts another one."""
        await self.shutdown()
        await self.start()

    async def shutdown(self) -> None:
        """Stops the process in good order, if there is one."""
        self._process.stopping.set()
        await self._over()

    def ws(
        self, path: str, *, bridge: BridgeOptions | None = None, **kwargs: Any
    ) -> AbstractAsyncContextManager[WebSocketSession]:
        """As `InMemoryHost.ws`."""
        headers = {"host": "127.0.0.1:8000", **kwargs.pop("headers", {})}
        options = replace(bridge or SERVED, server=("127.0.0.1", 8000))
        return connect(self._app or _down, path, headers=headers, options=options, **kwargs)

    async def _live(self, process: Process, up: asyncio.Future[None]) -> None:
        channels = self._made(process)
        store = ProcessStore(self._plan, process)
        self.host = AgentFrameworkHost(self._served, channels=channels, state=store, **self._given)
        async with self.host:
            self._app = process.serve(self.host.app)
            self._door = StreamingASGITransport(self._app, SERVED)
            self._all.push_async_callback(self._door.aclose)
            up.set_result(None)
            await process.stopping.wait()

    async def _over(self) -> None:
        """Waits until nothing of the process is left.

        Raises:
            Failed: It stops with an error.
        """
        ended, self._ended = self._ended, None
        self._leave()
        try:
            await (ended or asyncio.sleep(0))
        except Exception as error:
            raise Failed(f"the application does not stop: {type(error).__name__}: {error}") from error

    def _leave(self) -> None:
        self._door = self._app = None

    def _living(self) -> tuple[StreamingASGITransport, Process] | None:
        return (self._door, self._process) if self._door and not self._process.dead else None


class _Balancer(InboundTransport):
    """Answers for a process that is not there, or dies before it has answered."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError):
            return httpx.Response(DOWN)


async def _down(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.close", "code": 1012})
