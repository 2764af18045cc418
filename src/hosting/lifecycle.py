"""Starting and stopping a host: everything once, in order, and nothing left behind (contract 1.6, 1.7)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from .channel import ChannelContribution
from .delivery.inbox import Inbox
from .delivery.outbox import Outbox
from .errors import NotReady
from .limits import HostLimits
from .state import HostStateStore, Sweeper
from .state.statements import ping
from .tasks import OwnedTasks
from .turn.registry import RunningTurns

_RESTART_AFTER = 1.0
"""Seconds before a part of the host that broke runs again."""


class _Part(Protocol):
    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Started:
    """A channel's contribution, by the channel's name, for reports."""

    name: str
    contribution: ChannelContribution


class Lifecycle:
    """The life of one host inside its lifespan.

    Args:
        store: Opened first, closed last.
        inbox: Runs while the host does.
        outbox: Likewise; its sends are finished before the channels stop.
        sweeper: Likewise.
        tasks: Tasks of channels, cancelled after the channels stopped.
        running: Turns that draining waits for.
        draining: Set once, when draining begins.
        limits: How long draining may take.
        logger: Told of what went wrong while stopping.
        recover: Ends what a dead process left; awaited once the store is open.
    """

    def __init__(
        self,
        store: HostStateStore,
        inbox: Inbox,
        outbox: Outbox,
        sweeper: Sweeper,
        tasks: OwnedTasks,
        running: RunningTurns,
        draining: asyncio.Event,
        limits: HostLimits,
        logger: logging.Logger,
        *,
        recover: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._recover = recover
        self._inbox = inbox
        self._outbox = outbox
        self._sweeper = sweeper
        self._tasks = tasks
        self._running = running
        self._draining = draining
        self._limits = limits
        self._log = logger
        self._ready = False
        self._work: list[asyncio.Task[None]] = []

    def admit(self) -> None:
        """Lets a new turn in.

        Raises:
            NotReady: The host has not started, or is stopping.
        """
        if not self._ready:
            raise NotReady("The server is not running.", retry_after=1.0)
        if self._draining.is_set():
            raise NotReady("The server is shutting down.", retry_after=1.0)

    async def check_ready(self) -> None:
        """Returns while requests can be served.

        Raises:
            NotReady: Names what is not ready, and nothing else (contract 1.4).
        """
        if not self._ready:
            raise NotReady("startup has not finished")
        if self._draining.is_set():
            raise NotReady("draining")
        try:
            await self._store.execute(ping())
        except Exception:
            raise NotReady("the state store does not answer") from None

    @asynccontextmanager
    async def running(self, channels: Sequence[Started]) -> AsyncGenerator[None]:
        """From the first startup callback to the last shutdown callback."""
        await self._store.open()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._store.close)
            await self._recover()
            stack.push_async_callback(self._tasks.cancel)
            await self._start(channels, stack)
            stack.push_async_callback(self._stop_delivery)
            self._work = [
                asyncio.create_task(self._kept_running(part, name), name=f"hosting.{name}")
                for name, part in (
                    ("inbox", self._inbox),
                    ("outbox", self._outbox),
                    ("sweeper", self._sweeper),
                )
            ]
            self._ready = True
            try:
                yield
            finally:
                await self.drain()
                self._ready = False

    async def drain(self) -> None:
        """No new turns; those under way get `limits.drain_timeout`, then they are cancelled."""
        self._draining.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_timeout):
                await self._all_ended()
        for turn in self._running:
            turn.cancel("shutting_down")
        await self._all_ended()

    async def _all_ended(self) -> None:
        me = asyncio.current_task()
        while turns := [turn for turn in self._running if turn.task is not me]:
            for turn in turns:
                await turn.ended.wait()

    async def _start(self, channels: Sequence[Started], stack: AsyncExitStack) -> None:
        """Tries all startup callbacks; the first failure is raised once the started ones were stopped."""
        first: Exception | None = None
        for channel in channels:
            stack.push_async_callback(self._stop_channel, channel)
            try:
                for app in _mounted(channel.contribution.routes):
                    await stack.enter_async_context(app.router.lifespan_context(app))
                for callback in channel.contribution.on_startup:
                    await callback()
            except Exception as exc:
                self._log.error("channel %s could not start", channel.name, exc_info=exc if first else None)
                first = first or exc
        if first is not None:
            raise first

    async def _stop_channel(self, channel: Started) -> None:
        for callback in reversed(channel.contribution.on_shutdown):
            try:
                await callback()
            except Exception:
                self._log.exception("channel %s: a shutdown callback failed", channel.name)

    async def _kept_running(self, part: _Part, name: str) -> None:
        """Runs a part of the host; one that breaks, say because the store is away, is started again (contract 12.3)."""
        while True:
            try:
                await part.run()
            except Exception:
                self._log.exception("the %s stopped; it starts again in %g s", name, _RESTART_AFTER)
            await asyncio.sleep(_RESTART_AFTER)

    async def _stop_delivery(self) -> None:
        """No new events are taken; those under way, and sends under way, come to their end."""
        inbox, outbox, sweeper = self._work
        await _cancelled(inbox)
        await self._inbox.settle()
        await _cancelled(outbox)
        await _cancelled(sweeper)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _mounted(routes: Sequence[BaseRoute]) -> list[Starlette]:
    """Applications that a channel mounts: their own lifespan does not run by itself (contract 1.6)."""
    return [route.app for route in routes if isinstance(route, Mount) and isinstance(route.app, Starlette)]
