"""A store in memory that makes its callers wait, as one on a disk or behind a network does."""

from __future__ import annotations

import asyncio

from hosting import InMemoryHostStateStore
from hosting.state import Rows, Statement


class SuspendingStore(InMemoryHostStateStore):
    """Gives up the loop before and after each unit, so that a turn can be cancelled at both places (contract 7.5)."""

    inline = False

    async def execute(self, *unit: Statement) -> list[Rows]:
        await asyncio.sleep(0)
        rows = await super().execute(*unit)
        await asyncio.sleep(0)
        return rows
