"""HC-LIFE: several processes of a bot that fetches its updates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from ...targets.echo import Echo
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule
from ..replicas import Replica, replicas

_A_WHILE = 300.0
"""Virtual seconds in which whoever fetches does so several times."""

_CONFLICTS = 4


@rule(
    "HC-LIFE-012",
    needs=["polling"],
    why="platforms end a poll when another begins: two pollers starve each other, and none answers nobody",
)
async def one_polls_at_a_time(k: Kit) -> None:
    """One of two fetches; the other goes on when it stops, drains, is killed or cut off; a conflict is borne."""
    async with replicas(k, Echo(), 2) as hosts:
        await hosts[0].rest(_A_WHILE)  # what both began at the same moment is over
        for how in ("stops", "is killed"):
            fetching = await _fetching(hosts)
            k.equal(f"replicas that fetch before one {how}", len(fetching), 1)
            gone = (fetching or hosts)[0]
            await (gone.host.shutdown() if how == "stops" else gone.host.kill())
            await gone.rest(_A_WHILE)
            answered = await gone.turn(said := k.nonce())
            k.check(
                f"an answer after one {how}", said in answered.text, expected=said, observed=answered.texts
            )
            await gone.host.start()
            await gone.rest(_A_WHILE)
        await _conflict(k, hosts[0])
        await _drains(k, hosts)
        await _stalls(k, hosts)


async def _drains(k: Kit, hosts: Sequence[Replica]) -> None:
    """Whoever stops may take long over its last turns; the other one fetches meanwhile (contract 1.7)."""
    leaving = (await _fetching(hosts) or hosts)[0]
    leaving.begin_drain()
    await leaving.rest(_A_WHILE)
    answered = await leaving.turn(said := k.nonce())
    name = "an answer while the one that fetched drains"
    k.check(name, said in answered.text, expected=said, observed=answered.texts)
    await leaving.host.restart()
    await leaving.rest(_A_WHILE)


async def _stalls(k: Kit, hosts: Sequence[Replica]) -> None:
    """One that could not reach the store for long was taken for gone, and comes back."""
    stalled = (await _fetching(hosts) or hosts)[0]
    stalled.plan.cut_off.add(stalled.host.process)
    await stalled.rest(_A_WHILE)
    stalled.plan.cut_off.clear()
    await stalled.rest(_A_WHILE)
    k.equal("replicas that fetch after one was cut off for a while", len(await _fetching(hosts)), 1)


async def _fetching(hosts: Sequence[Replica]) -> list[Replica]:
    found = await asyncio.gather(*(h.fetches(_A_WHILE) for h in hosts))
    return [h for h, fetches in zip(hosts, found, strict=True) if fetches]


async def _conflict(k: Kit, h: Replica) -> None:
    """The platform says that somebody else fetches, a few times."""
    conflict, logs = ask_driver(h.driver.fetched_elsewhere, "fetched_elsewhere()"), len(k.logs)
    for path in h.env.fetches:
        h.env.troubles.plan(path, [conflict] * _CONFLICTS)
    await h.rest(_A_WHILE)
    tries = sorted(at for path in h.env.fetches for at in h.env.troubles.over(path))
    k.control(len(tries) > 0, "a fetch meets a conflict", observed=tries)
    answered = await h.turn(said := k.nonce())
    k.check("an answer after a conflict", said in answered.text, expected=said, observed=answered.texts)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    slower = waits[-1:] > waits[:1]
    k.check("waits after a conflict", slower, expected="longer and longer", observed=waits)
    lines = [line for line in k.logs[logs:] if line.startswith(("WARNING", "ERROR"))]
    k.equal("warnings of a conflict", len(lines), 1)
