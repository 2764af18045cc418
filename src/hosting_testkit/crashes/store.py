"""The rows of a plan as one process sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hosting.state import Rows, Statement

from .plan import CrashPlan, unit_step
from .process import Process


class ProcessStore:
    """Like a store on a disk: it gives up the loop before and after each unit, and its rows outlive the process.

    Args:
        plan: Whose rows, and where the process dies.
        process: After whose death nothing is kept any more.
    """

    durable = True
    inline = False
    signals_between_processes = False

    def __init__(self, plan: CrashPlan, process: Process) -> None:
        self._plan = plan
        self._process = process
        self.exclusive = plan.takes_over == "at once"

    def describe(self) -> str:
        return "memory that outlives its process"

    async def open(self) -> None:
        self._process.check()
        await self._plan.rows.open()

    async def close(self) -> None:
        return

    async def execute(self, *unit: Statement) -> list[Rows]:
        await asyncio.sleep(0)
        number = self._plan.begin(self._process, unit_step(unit))
        rows = await self._plan.rows.execute(*unit)
        self._plan.kept.see(unit, rows)
        self._plan.end(self._process, number)
        await asyncio.sleep(0)
        self._process.check()
        return rows

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return self._plan.rows.subscribe(topic, event)
