"""Ways to hold events back: until there are some of them, or until they come in reverse order."""

from __future__ import annotations

import asyncio


class Gathering:
    """Holds whoever joins until `size` have, or for `patience` seconds from the first one."""

    def __init__(self, size: int, patience: float) -> None:
        self._size = size
        self._patience = patience
        self._here = 0
        self._go = asyncio.Event()

    async def join(self) -> None:
        """Waits for the others."""
        self._here += 1
        go = self._go
        if self._here >= self._size:
            self._release(go)
            await asyncio.sleep(0)  # those who came before go first
        try:
            async with asyncio.timeout(self._patience):
                await go.wait()
        except TimeoutError:
            self._release(go)

    def _release(self, go: asyncio.Event) -> None:
        go.set()
        if go is self._go:
            self._go, self._here = asyncio.Event(), 0


class Mirror:
    """Waits after which what came within `window` seconds goes on in reverse order."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._end = float("-inf")
        self._seen = 0

    def wait(self, now: float) -> float:
        """Seconds that what comes at `now` has to wait."""
        if now > self._end:
            self._end, self._seen = now + self._window, 0
        self._seen += 1
        # All go at the window's end, told apart by nudges: the more came before, the smaller.
        return self._end - now + 1e-3 / self._seen
