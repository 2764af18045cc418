"""Hears the signals of other processes: one connection that listens, in a task of the loop that first waited for one."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from ..errors import StateError
from ..signals import Wakers
from .session import ready

_SHORTEST, _LONGEST = 0.2, 15.0
"""Seconds between two attempts to connect."""

_log = logging.getLogger("hosting")


class Listener:
    """Wakes this process for what others signal.

    Args:
        connect: Opens a connection of its own.
        channel: What it listens on.
        wakers: Who is woken.
        own: Beginning of this process's own signals, whose waiters were woken already.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]],
        *,
        channel: str,
        wakers: Wakers,
        own: str,
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._wakers = wakers
        self._own = own
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen, unless it does. A loop that was closed took its listener with it."""
        if self._task is None or self._task.done() or self._task.get_loop().is_closed():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="hosting-signals")

    async def stop(self) -> None:
        """Stops listening."""
        task, self._task = self._task, None
        if task is None or task.done():
            return
        loop = task.get_loop()
        if loop is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait([task])
        elif not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                connection = await self._connect()
                try:
                    await connection.execute(f'LISTEN "{self._channel}"'.encode())
                    if failures:
                        _log.info("signals between processes work again")
                    failures = 0
                    self._wakers.wake_all()  # for what was said while nobody listened
                    await self._hear(connection)
                finally:
                    connection.pgconn.finish()
            except (psycopg.Error, OSError, StateError) as error:
                failures += 1
                if failures == 1:
                    _log.warning(
                        "signals between processes are lost for now, waiters look by themselves: %s",
                        " ".join(str(error).split()),
                    )
            await asyncio.sleep(min(_LONGEST, _SHORTEST * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0))

    async def _hear(self, connection: psycopg.AsyncConnection[Any]) -> None:
        pg = connection.pgconn
        while True:
            while notification := pg.notifies():
                sender, _, topic = notification.extra.decode(errors="replace").partition(":")
                if sender != self._own:
                    self._wakers.wake(topic)
            await ready(pg.socket)
            pg.consume_input()
