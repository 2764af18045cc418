"""How long each run may take, watched by one timer for all of them (contract 16.1).

A timer per run is dear: the loop keeps it, and with its context the whole turn, for a while after the run has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import Context

from ..errors import RunTimeout
from ..web.disconnect import OwnCancel


class RunTimes:
    """Cancels runs that take longer than `limit`.

    Args:
        limit: Seconds, the same for all runs: so the one that began first is the first to end.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._ends: dict[OwnCancel, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def watch(self) -> Generator[None]:
        """Bounds the block.

        Raises:
            RunTimeout: It was cut short for its time.
        """
        ended = False
        with OwnCancel() as cancel:
            self._begin(cancel)
            try:
                yield
                ended = True
            finally:
                self._ends.pop(cancel, None)
        if not ended:
            raise RunTimeout(f"The run took longer than {self._limit:g} seconds.") from None

    def _begin(self, cancel: OwnCancel) -> None:
        loop = asyncio.get_running_loop()
        self._ends[cancel] = end = loop.time() + self._limit
        if self._timer is None or self._loop is not loop:  # a host may be started again on another loop
            self._wake_at(end, loop)

    def _wake_at(self, end: float, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer = loop.call_at(end, self._wake, loop, context=Context())  # not that of the turn at hand

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._ends:
            cancel, end = next(iter(self._ends.items()))
            if end > loop.time():
                self._wake_at(end, loop)
                return
            del self._ends[cancel]
            cancel.request()
