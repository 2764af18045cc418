"""What a piece of code costs in this process: processor time, in all threads, and time on the wall."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import uvloop

from .pinning import pinned
from .stats import Row, Series


def measured(measuring: Coroutine[Any, Any, list[Row]]) -> list[Row]:
    """Runs an in-process measurement on one core and on the loop that servers use."""
    with pinned():
        return uvloop.run(measuring)


@dataclass(slots=True)
class Costs:
    """Microseconds per call, one reading per round."""

    cpu_us: list[float] = field(default_factory=list[float])
    wall_us: list[float] = field(default_factory=list[float])

    async def add(self, step: Callable[[int], Awaitable[object]], calls: int) -> None:
        """Awaits `step(0)` to `step(calls - 1)`, one after the other, and adds a reading.

        Garbage of earlier rounds is collected before, what this one makes is collected as ever.
        """
        gc.collect()
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        for number in range(calls):
            await step(number)
        wall_spent, cpu_spent = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        self.cpu_us.append(cpu_spent / calls / 1_000)
        self.wall_us.append(wall_spent / calls / 1_000)


def compared(case: str, host: Costs, other: Costs, *, beside: str, target: float | None = None) -> list[Row]:
    """The rows of two sides: the processor's time, which noise touches least and targets are set for, and the wall's."""
    return [
        Row(
            case=case,
            unit="CPU us/turn",
            host=Series(host.cpu_us),
            other=Series(other.cpu_us),
            beside=beside,
            target=target,
        ),
        Row(
            case=case,
            unit="us/turn",
            host=Series(host.wall_us),
            other=Series(other.wall_us),
            beside=beside,
        ),
    ]
