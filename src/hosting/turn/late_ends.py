"""Ends of turns that could not be stored because the store was away: stored once it is back (contract 4.3, 4.4).

Without them a claimed key would answer `turn_in_progress` for as long as this host lives.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..state.errors import StateUnavailable

_AGAIN = 1.0
"""Seconds until a store that is away is asked again."""

_MOST = 10_000
"""Ends that are kept; what goes beyond is ended by the next host, as what a host that is gone left behind."""


class LateEnds:
    """One task of the host that stores them, in order.

    Args:
        logger: Told of what cannot be stored at all.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._log = logger
        self._waiting: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(_MOST)

    def add(self, store: Callable[[], Awaitable[None]]) -> None:
        """Takes an end that has just failed to be stored."""
        if not self._waiting.full():
            self._waiting.put_nowait(store)

    async def run(self) -> None:
        """Stores what waits, until cancelled; what is left then ends with this host."""
        while True:
            await self._stored(await self._waiting.get())

    async def _stored(self, store: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(_AGAIN)
            try:
                await store()
                return
            except StateUnavailable:
                continue
            except Exception:
                self._log.exception("the end of a turn could not be stored")
                return
