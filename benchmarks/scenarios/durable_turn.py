"""A turn that is claimed, saved and done on disk beside the same turn in memory, in several sessions at once."""

from __future__ import annotations

import itertools
import time
from contextlib import AsyncExitStack

from hosting import AgentFrameworkHost
from hosting_testkit.targets import Echo

from ..cost import measured
from ..in_process import hosting, turn_in
from ..places import StoreKind, durable_kinds
from ..rates import Rates, Step, compared_rates
from ..scale import Scale
from ..stats import Row

TITLE = "durable turn beside the same turn in memory, each caller in a session of its own"
TARGET = 0.5


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    rows: list[Row] = []
    for claimed in (False, True):
        rows += await _compare(scale, claimed=claimed)
    return rows


async def _compare(scale: Scale, *, claimed: bool) -> list[Row]:
    """All stores in turn, round by round."""
    kinds: list[StoreKind] = ["memory", *durable_kinds()]
    rates = {kind: Rates() for kind in kinds}
    ends = time.monotonic() + scale.longest / 2
    async with AsyncExitStack() as stack:
        steps = {
            kind: _step(await stack.enter_async_context(hosting(Echo(), kind)), claimed=claimed)
            for kind in kinds
        }
        for step in steps.values():
            await Rates().add(step, callers=scale.connections, calls=scale.calls)
        for _ in range(scale.rounds):
            for kind, step in steps.items():
                await rates[kind].add(step, callers=scale.connections, calls=scale.calls)
            if time.monotonic() > ends:
                break
    return [
        row
        for kind in kinds[1:]
        for row in compared_rates(
            f"{kind}, {'claimed by a key' if claimed else 'no key'}",
            "turn",
            rates[kind],
            rates["memory"],
            beside="memory",
            target=TARGET if kind == "sqlite" else None,
        )
    ]


def _step(host: AgentFrameworkHost, *, claimed: bool) -> Step:
    keys = itertools.count()

    async def step(caller: int, number: int) -> None:
        turn = turn_in(f"session {caller}")
        await host.run(turn.replace(delivery_id=f"key {next(keys)}") if claimed else turn)

    return step
