"""Starting and stopping a host: everything once, in order, and nothing left behind (contract 1.6, 1.7)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from .channel import ChannelContribution
from .delivery.inbox import Inbox
from .delivery.outbox import Outbox
from .durable.runner import DurableTaskRunner
from .errors import NotReady
from .instance import Instance
from .limits import HostLimits
from .state import HostStateStore, Sweeper
from .state.errors import StateUnavailable
from .state.statements import ping
from .tasks import OwnedTasks
from .turn.registry import RunningTurns

_RESTART_AFTER = 1.0
"""Seconds before a part of the host that broke runs again."""

_LAST_SENDS = 1.0
"""Seconds that sends under way get at least: the turns may have used up the drain, and begun them with its end."""


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
        instance: Alive while the host runs; what it still holds at the end is free at once.
        inbox: Runs while the host does.
        outbox: Likewise; its sends end, or are cut off at the drain's end, before the channels stop.
        sweeper: Likewise.
        more: Further parts that run while the host does, by name.
        tasks: Tasks of channels, cancelled after the channels stopped.
        running: Turns that draining waits for.
        draining: Set once, when draining begins.
        limits: How long draining may take.
        logger: Told of what went wrong while stopping.
        runner: Runs durable tasks once the channels have started; drains with the turns.
        recover: Ends what a dead process left; awaited once the store is open.
    """

    def __init__(
        self,
        store: HostStateStore,
        instance: Instance,
        inbox: Inbox,
        outbox: Outbox,
        sweeper: Sweeper,
        more: Mapping[str, _Part],
        tasks: OwnedTasks,
        running: RunningTurns,
        draining: asyncio.Event,
        limits: HostLimits,
        logger: logging.Logger,
        *,
        runner: DurableTaskRunner | None,
        recover: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._instance = instance
        self._runner = runner
        self._recover = recover
        self._inbox = inbox
        self._outbox = outbox
        self._sweeper = sweeper
        self._more = more
        self._tasks = tasks
        self._running = running
        self._draining = draining
        self._limits = limits
        self._log = logger
        self._ready = False
        self._drained_by = 0.0
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
        if not self._instance.answered:
            raise NotReady("the state store takes no writes")

    @asynccontextmanager
    async def running(self, channels: Sequence[Started]) -> AsyncGenerator[None]:
        """From the first startup callback to the last shutdown callback."""
        await self._store.open()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._store.close)
            await self._instance.begin()
            living = asyncio.create_task(
                self._kept_running(self._instance, "instance"), name="hosting.instance"
            )
            stack.push_async_callback(self._leave, living)
            await self._recover()
            stack.push_async_callback(self._tasks.cancel)
            await self._start(channels, stack)
            stack.push_async_callback(self._drain_tasks, 0.0)
            if self._runner is not None:
                await self._runner.resume()
            stack.push_async_callback(self._stop_delivery)
            self._work = [
                asyncio.create_task(self._kept_running(part, name), name=f"hosting.{name}")
                for name, part in (
                    ("inbox", self._inbox),
                    ("outbox", self._outbox),
                    ("sweeper", self._sweeper),
                    *((name, part) for name, part in self._more.items()),
                )
            ]
            drain = asyncio.create_task(self._drain_when_asked(), name="hosting.drain")
            self._ready = True
            try:
                yield
            finally:
                if self._draining.is_set():
                    await drain
                else:
                    await _cancelled(drain)
                    await self.drain()
                self._ready = False

    async def drain(self) -> None:
        """No new turns and tasks; those under way get `limits.drain_timeout`, then they are cancelled.

        The next process may come for the state from now on (contract 15.3).
        """
        self._draining.set()
        self._drained_by = asyncio.get_running_loop().time() + self._limits.drain_timeout
        hand_over: Callable[[], None] | None = getattr(self._store, "hand_over", None)
        if hand_over is not None:
            hand_over()
        await asyncio.gather(self._drain_turns(), self._drain_tasks(self._limits.drain_timeout))

    async def _drain_turns(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_timeout):
                await self._all_ended()
        for turn in self._running:
            turn.cancel("shutting_down")
        await self._all_ended()

    async def _drain_tasks(self, timeout: float) -> None:
        if self._runner is None:
            return
        try:
            await self._runner.drain(timeout)
        except Exception:
            self._log.exception(
                "durable tasks could not be given back; others take over when the lease runs out"
            )

    async def _drain_when_asked(self) -> None:
        """Servers end the lifespan when all requests have ended, so turns have to end before that (contract 1.7)."""
        await self._draining.wait()
        await self.drain()

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
            except (Exception, asyncio.CancelledError):
                if _is_cancelled():
                    raise
                self._log.exception("channel %s: a shutdown callback failed", channel.name)

    async def _kept_running(self, part: _Part, name: str) -> None:
        """Runs a part of the host; one that breaks, say because the store is away, is started again (contract 12.3)."""
        while True:
            try:
                await part.run()
            except StateUnavailable as error:
                self._log.warning("the %s waits for the state store: %s", name, error)
            except Exception:
                self._log.exception("the %s stopped; it starts again in %g s", name, _RESTART_AFTER)
            await asyncio.sleep(_RESTART_AFTER)

    async def _leave(self, living: asyncio.Task[None]) -> None:
        await _cancelled(living)
        try:
            await self._instance.leave()
        except Exception:
            self._log.exception("this host could not sign off; others take over when its lease runs out")

    async def _stop_delivery(self) -> None:
        """No new events are taken; those under way come to their end, and sends to theirs or to the drain's."""
        inbox, *others = self._work
        await _cancelled(inbox)
        await self._inbox.settle()
        for task in others:
            await _cancelled(task)
        left = self._drained_by - asyncio.get_running_loop().time()
        await self._outbox.settle(max(left, _LAST_SENDS))


def _is_cancelled() -> bool:
    """Whether somebody cancels this task; a callback may raise `CancelledError` of a task of its own that it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _mounted(routes: Sequence[BaseRoute]) -> list[Starlette]:
    """Applications that a channel mounts: their own lifespan does not run by itself (contract 1.6)."""
    return [route.app for route in routes if isinstance(route, Mount) and isinstance(route.app, Starlette)]
