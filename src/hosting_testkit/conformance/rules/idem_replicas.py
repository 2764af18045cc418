"""HC-IDEM: copies of an event that find another process than the first one did."""

from __future__ import annotations

import asyncio

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ..kit import Kit
from ..registry import rule
from ..replicas import Replica, replicas

_LEASE = 30.0
"""Virtual seconds after which others go on for a process that was killed."""


@rule(
    "HC-IDEM-006",
    needs=["delivery_ids"],
    why="platforms deliver again to whoever answers: another instance, or the next version",
)
async def copies_elsewhere_and_later_run_nothing(k: Kit) -> None:
    """A copy at a second instance, after a restart and after a kill is acknowledged; two at once give one run."""
    async with replicas(k, Echo(), 2) as (first, second):
        turn = Turn(text=k.nonce(), delivery_id=k.nonce())
        answered = await first.turn(turn.text, delivery_id=turn.delivery_id)
        k.control(turn.text in answered.text, "the first delivery is answered", observed=answered.text)
        for how in ("at a second instance", "after a restart", "after a kill"):
            if how != "at a second instance":
                await (first.host.shutdown() if how == "after a restart" else first.host.kill())
                await first.host.start()
                await first.rest(_LEASE)
            copy = await (second if how == "at a second instance" else first).wire(first.inbound(turn))
            k.check(f"a copy {how}", copy.status < 300, expected="2xx", observed=copy.status)
            k.equal(f"runs of a copy {how}", len(first.runs) - 1, 0)
        both = Turn(text=k.nonce(), delivery_id=k.nonce())
        await asyncio.gather(*(one.wire(one.inbound(both)) for one in (first, second)))
        k.equal("runs of two copies at two instances at once", _runs(first, both), 1)
        await second.turn(other := k.nonce(), delivery_id=k.nonce())
        k.equal("runs with another delivery id", _runs(first, Turn(text=other)), 1)


def _runs(h: Replica, turn: Turn) -> int:
    return [run.text for run in h.runs].count(turn.text)
