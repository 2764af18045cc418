"""`host.run` beside `target.run`: what a turn's locks, limits, session and commit cost without a wire."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable

from agent_framework import AgentSession

from hosting import AgentFrameworkHost
from hosting_testkit.targets import Echo

from ..cost import Costs, compared, measured
from ..in_process import STATES, hosting, turn_in
from ..scale import Scale
from ..stats import Row

TITLE = "host.run beside target.run, one after the other"

_Step = Callable[[int], Awaitable[object]]


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    rows: list[Row] = []
    for state in STATES:
        async with hosting(Echo(), state) as host:
            for case, ours, theirs in _cases(host):
                rows += await _compare(f"{state}, {case}", ours, theirs, scale)
    return rows


def _cases(host: AgentFrameworkHost) -> list[tuple[str, _Step, _Step]]:
    bare, session, fresh = Echo(), AgentSession(), itertools.count()
    return [
        ("no session", lambda _: host.run(turn_in(None)), lambda _: bare.run("hello")),
        ("one session", lambda _: host.run(turn_in("one")), lambda _: bare.run("hello", session=session)),
        (
            "new sessions",
            lambda _: host.run(turn_in(f"new {next(fresh)}")),
            lambda _: bare.run("hello", session=AgentSession()),
        ),
    ]


async def _compare(case: str, ours: _Step, theirs: _Step, scale: Scale) -> list[Row]:
    host, other, ends = Costs(), Costs(), time.monotonic() + scale.longest / 6
    await Costs().add(ours, scale.calls)
    for _ in range(scale.rounds):
        await host.add(ours, scale.calls)
        await other.add(theirs, scale.calls)
        if time.monotonic() > ends:
            break
    return compared(case, host, other, beside="target.run")
