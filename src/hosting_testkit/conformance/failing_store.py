"""A store in memory that is slow, or out of reach, while a rule says so (contract 4.3)."""

from __future__ import annotations

import asyncio

from hosting import InMemoryHostStateStore
from hosting.state import Rows, Statement, StateUnavailable


class FailingStore(InMemoryHostStateStore):
    """Like one behind a network.

    Attributes:
        latency: Seconds that each unit takes on its way there, and again on its way back.
        reachable: While it is False, every unit fails before it arrives.
    """

    inline = False

    def __init__(self, *, latency: float = 0.0) -> None:
        super().__init__()
        self.latency = latency
        self.reachable = True

    async def execute(self, *unit: Statement) -> list[Rows]:
        await asyncio.sleep(self.latency)
        if not self.reachable:
            raise StateUnavailable("the store is out of reach, as the rule asked")
        rows = await super().execute(*unit)
        await asyncio.sleep(self.latency)
        return rows
