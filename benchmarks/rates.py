"""How much several callers at once get done in this process, and how long the slowest of them wait."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .stats import Row, Series

Step = Callable[[int, int], Awaitable[object]]
"""What one caller does once: its number, and how often it did so before in this round."""


@dataclass(slots=True)
class Rates:
    """One reading of each per round."""

    per_second: list[float] = field(default_factory=list[float])
    cpu_us: list[float] = field(default_factory=list[float])
    p99_us: list[float] = field(default_factory=list[float])

    async def add(self, step: Step, *, callers: int, calls: int) -> None:
        """Has each of `callers` await its share of `calls` steps, one after the other, and adds a reading."""
        share = max(1, calls // callers)
        waited: list[int] = []
        gc.collect()
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        await asyncio.gather(*(_call(step, caller, share, waited) for caller in range(callers)))
        wall_spent, cpu_spent = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        waited.sort()
        self.per_second.append(len(waited) / wall_spent * 1e9)
        self.cpu_us.append(cpu_spent / len(waited) / 1_000)
        self.p99_us.append(waited[int(len(waited) * 0.99)] / 1_000)


async def _call(step: Step, caller: int, share: int, waited: list[int]) -> None:
    for number in range(share):
        begun = time.perf_counter_ns()
        await step(caller, number)
        waited.append(time.perf_counter_ns() - begun)


def compared_rates(
    case: str, unit: str, host: Rates, other: Rates, *, beside: str, target: float | None = None
) -> list[Row]:
    """The rows of two sides; the target is for what gets done per second.

    Args:
        case: Under which circumstances.
        unit: What one step is, for example `turn`.
        host: What is measured.
        other: What it is compared with.
        beside: What that is.
        target: The ratio that the project wants to reach.
    """
    return [
        Row(
            case=case,
            unit=f"{unit}s/s",
            host=Series(host.per_second),
            other=Series(other.per_second),
            beside=beside,
            more_is_better=True,
            target=target,
        ),
        Row(
            case=case,
            unit=f"CPU us/{unit}",
            host=Series(host.cpu_us),
            other=Series(other.cpu_us),
            beside=beside,
        ),
        Row(case=case, unit="p99 us", host=Series(host.p99_us), other=Series(other.p99_us), beside=beside),
    ]
