"""The cost of a turn while more and more sessions are stored: it should not depend on their number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from hosting import AgentFrameworkHost
from hosting_testkit.targets import Echo

from ..cost import Costs, compared, measured
from ..in_process import OWNER, hosting_at, turn_in
from ..places import Place, StoreKind, durable_kinds, place
from ..scale import Scale
from ..seeding import seed_sessions
from ..stats import Row

TITLE = "cost of a turn by the number of stored sessions"
TARGET = 0.8

_CACHED = 100
"""Sessions that a host keeps live here, so that a round through more of them loads each from the store."""

_STRIDE = 7_919
"""A prime: goes through all sessions, in no order that a cache or an index would like."""


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    rows = await _kind("memory", scale.stored, scale)
    for kind in durable_kinds():
        rows += await _kind(kind, scale.seeded, scale)
    return rows


@dataclass(slots=True)
class _Side:
    """A host with so many sessions."""

    host: AgentFrameworkHost
    size: int
    live: Costs = field(default_factory=Costs)
    loaded: Costs = field(default_factory=Costs)
    begun: int = 0

    async def measure(self, calls: int) -> None:
        few = max(1, min(_CACHED, self.size) // 2)
        for number in range(few):
            await self.turn(number)
        await self.live.add(lambda number: self.turn(number % few), calls)
        begun = self.begun
        await self.loaded.add(lambda number: self.turn(begun + number), calls)
        self.begun += calls

    def turn(self, number: int) -> Awaitable[object]:
        return self.host.run(turn_in(f"session {number * _STRIDE % self.size}"))


async def _kind(kind: StoreKind, sizes: Sequence[int], scale: Scale) -> list[Row]:
    """All sizes at once, a host each, measured in turn."""
    async with AsyncExitStack() as stack:
        sides = [
            _Side(await stack.enter_async_context(_filled(stack.enter_context(place(kind)), size)), size)
            for size in sizes
        ]
        for side in sides:
            await side.measure(scale.calls // 4 + 1)
            side.live, side.loaded = Costs(), Costs()
        ends = time.monotonic() + scale.longest / 3
        for _ in range(scale.rounds):
            for side in sides:
                await side.measure(scale.calls)
            if time.monotonic() > ends:
                break
    least, *greater = sides
    how: Sequence[tuple[str, Callable[[_Side], Costs]]] = (
        ("live", lambda side: side.live),
        ("loaded each time", lambda side: side.loaded),
    )
    return [
        row
        for case, costs in how
        for side in greater
        for row in compared(
            f"{kind}, {case}: {side.size:,}",
            costs(side),
            costs(least),
            beside=f"{least.size:,} sessions",
            target=TARGET,
        )
    ]


@asynccontextmanager
async def _filled(place: Place, size: int) -> AsyncGenerator[AgentFrameworkHost]:
    """A host with so many stored sessions; on disk they are put there past it."""
    if place.kind != "memory":
        store = place.store()
        await store.open()
        await store.close()
        seed_sessions(place, range(size), owner=OWNER)
    async with hosting_at(Echo(), place, cached=_CACHED) as host:
        if place.kind == "memory":
            await _fill(host, size)
        yield host


async def _fill(host: AgentFrameworkHost, size: int) -> None:
    for start in range(0, size, 32):
        numbers = range(start, min(start + 32, size))
        await asyncio.gather(*(host.run(turn_in(f"session {number}")) for number in numbers))
