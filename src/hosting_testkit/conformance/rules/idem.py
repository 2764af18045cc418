"""HC-IDEM: what happens once, however often it is delivered."""

from __future__ import annotations

from ...targets.echo import Echo
from ..kit import Kit
from ..registry import rule


@rule(
    "HC-IDEM-001",
    needs=["delivery_ids"],
    why="platforms deliver again whenever they doubt; people see double replies",
)
async def a_repeated_delivery_runs_once(k: Kit) -> None:
    """The same delivery id twice gives one run; the second is acknowledged."""
    async with k.host(Echo()) as h:
        delivery = k.nonce()
        first = await h.turn(said := k.nonce(), delivery_id=delivery)
        k.control(said in first.text, "the first delivery is answered", observed=first.text)
        second = await h.turn(said, delivery_id=delivery)
        k.check(
            "the second delivery is acknowledged", second.status < 300, expected="2xx", observed=second.status
        )
        k.equal("runs of both deliveries", [run.text for run in h.runs], [said])
        await h.turn(other := k.nonce(), delivery_id=k.nonce())
        k.equal("runs with another delivery id", [run.text for run in h.runs], [said, other])
