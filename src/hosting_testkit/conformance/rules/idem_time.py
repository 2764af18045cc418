"""HC-IDEM: how long a delivery is remembered, and how soon it is acknowledged."""

from __future__ import annotations

from hosting import Channel

from ...drivers.base import ChannelDriver
from ...drivers.turn import Turn
from ...targets.echo import Echo
from ...targets.gate import Gate
from ..kept_texts import kept_texts
from ..kit import Kit
from ..leap import leap
from ..registry import rule

_DAY = 24 * 3600.0
_EVENTS = 24
_FEW = 8
"""Ids that a channel may hold on to, for whatever it does with the latest ones."""

_DEADLINE = 3.0
"""Seconds to acknowledge in, where the driver claims no other; common platforms wait that long at least."""


@rule(
    "HC-IDEM-007",
    needs=["delivery_ids"],
    why="platforms deliver again a day later; and a bot that remembers for ever dies of it",
)
async def claims_are_kept_long_enough_and_no_longer(k: Kit) -> None:
    """Until just before the end of that time a redelivery runs nothing; long after it the id counts as new."""
    keeps = float(k.claim("delivery_ids").params.get("seconds", _DAY))
    made: list[Channel] = []

    def make(driver: ChannelDriver) -> Channel:
        made.append(driver.make(driver.env))
        return made[-1]

    async with k.host(Echo(), make=make) as h:
        old = [k.nonce() for _ in range(_EVENTS)]
        for delivery in old:
            await h.turn(delivery_id=delivery)
        k.control(len(h.runs) == _EVENTS, "events with ids of their own run", observed=len(h.runs))
        for when, part, runs in (("half", 0.5, 0), ("almost all", 0.49, 0), ("many times", 8.0, 1)):
            await leap(part * keeps)
            await h.turn()  # hosts that nobody uses need not tidy up
            before = len(h.runs)
            await h.turn(delivery_id=old[-1])
            k.equal(f"runs of a redelivery after {when} of the time", len(h.runs) - before, runs)
        held = {delivery for text in kept_texts(made[-1]) for delivery in old if delivery in text}
        expected = f"at most {_FEW} of {_EVENTS}"
        k.check("ids that the channel holds on to", len(held) <= _FEW, expected=expected, observed=len(held))


@rule(
    "HC-IDEM-008",
    needs=["webhook"],
    why="a platform that waits too long sends again, and switches the webhook off in the end",
)
async def the_acknowledgement_does_not_wait_for_the_target(k: Kit) -> None:
    """The event is acknowledged in the platform's time while the target still works; the answer comes later."""
    deadline = float(k.claim("webhook").params.get("deadline", _DEADLINE))
    target = Gate()
    async with k.host(target) as h, h.open(h.inbound(Turn(text=(said := k.nonce())))) as opened:
        await target.reached(said)
        quick = await opened.shows(lambda reply: bool(reply.status), within=deadline)
        k.check(
            "an acknowledgement in the platform's time",
            quick,
            expected=f"{deadline:g} s",
            observed="none",
        )
        status = (await opened.reply()).status
        k.check("the acknowledgement", status < 300 or not quick, expected="2xx", observed=status)
        target.gates.release(said)
        k.control(await opened.shows(lambda reply: said in reply.text), "the answer comes when it is there")
