"""The cost of a turn while more and more sessions are stored: it should not depend on their number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from hosting import AgentFrameworkHost
from hosting_testkit.targets import Echo

from ..cost import Costs, compared, measured
from ..in_process import State, hosting, turn_in
from ..scale import Scale
from ..stats import Row

TITLE = "cost of a turn by the number of stored sessions"
TARGET = 0.9

_CASES: tuple[tuple[str, State, int | None], ...] = (
    ("memory, live", "memory", None),
    ("sqlite, live", "sqlite", None),
    ("sqlite, loaded each time", "sqlite", 1),
)
_STRIDE = 7_919
"""A prime: goes through all sessions, in no order that a cache or an index would like."""


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    return [row for case, state, cached in _CASES for row in await _case(case, state, cached, scale)]


async def _case(case: str, state: State, cached: int | None, scale: Scale) -> list[Row]:
    """All sizes at once, a host each, measured in turn."""
    costs = {size: Costs() for size in scale.stored}
    ends = time.monotonic() + scale.longest / len(_CASES)
    async with AsyncExitStack() as stack:
        hosts = {
            size: await stack.enter_async_context(hosting(Echo(), state, cached=cached))
            for size in scale.stored
        }
        for size, host in hosts.items():
            await _fill(host, size)
        for _ in range(scale.rounds):
            for size, host in hosts.items():
                await costs[size].add(_turns(host, size), scale.calls)
            if time.monotonic() > ends:
                break
    least, *greater = scale.stored
    return [
        row
        for size in greater
        for row in compared(
            f"{case}: {size}", costs[size], costs[least], beside=f"{least} sessions", target=TARGET
        )
    ]


async def _fill(host: AgentFrameworkHost, size: int) -> None:
    for start in range(0, size, 32):
        numbers = range(start, min(start + 32, size))
        await asyncio.gather(*(host.run(turn_in(f"session {number}")) for number in numbers))


def _turns(host: AgentFrameworkHost, size: int) -> Callable[[int], Awaitable[object]]:
    return lambda number: host.run(turn_in(f"session {number * _STRIDE % size}"))
