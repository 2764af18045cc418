"""Targets that do what goes wrong in production: say nothing, say too much, break off."""

from __future__ import annotations

import asyncio

from .agent import FakeAgent, Run, Updates


class Hang(FakeAgent):
    """Says `said`, if anything, and then nothing for ever.

    Attributes:
        hanging: Runs that hang now.
        ended: Runs that were cancelled or closed while they hung.
    """

    def __init__(self, *said: str, name: str | None = None) -> None:
        super().__init__(name=name)
        self.said = said
        self.hanging = 0
        self.ended = 0

    async def answer(self, run: Run) -> Updates:
        for text in self.said:
            yield run.update(text)
        self.hanging += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.hanging -= 1
            self.ended += 1


class Flood(FakeAgent):
    """Sends `n` updates, the numbers from 0, as fast as they are pulled, and counts the pulls (contract 7.2).

    It gives the loop a turn before each update, as a network read would.

    Attributes:
        pulled: Updates handed out, over all runs.
    """

    def __init__(self, n: int = 100_000, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.n = n
        self.pulled = 0

    async def answer(self, run: Run) -> Updates:
        for number in range(self.n):
            await asyncio.sleep(0)
            self.pulled += 1
            yield run.update(f"{number} ")


class Failing(FakeAgent):
    """Sends `after` updates, then raises `error`: before the first byte, or in the middle (contract 7.4, 14.2).

    Args:
        error: An exception or its class. Its text is a secret by default: it must not reach a client.
        after: Updates before it.
        name: The agent's name and id.
    """

    SECRET = "the password is hunter2"

    def __init__(
        self,
        error: BaseException | type[BaseException] | None = None,
        *,
        after: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.error = error if error is not None else RuntimeError(self.SECRET)
        self.after = after

    async def answer(self, run: Run) -> Updates:
        for number in range(self.after):
            yield run.update(f"{number} ")
        raise self.error
