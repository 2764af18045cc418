"""One wake-up primitive for code that waits until a plain attribute has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Wakeup:
    """Waiters name the condition they wait for; whoever changes state calls `notify`. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}

    def notify(self) -> None:
        """Let every waiter look at its condition again, in the order in which they began to wait."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], object]) -> None:
        """Return as soon as `condition()` is true; at once if it is true now."""
        while not condition():
            future = asyncio.get_running_loop().create_future()
            self._waiting[future] = None
            try:
                await future
            finally:
                self._waiting.pop(future, None)
