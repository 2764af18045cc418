"""HC-DUR: what becomes of events and replies when a process dies in the middle."""

from __future__ import annotations

from hosting import HostLimits

from ...drivers.trouble import Struck
from ...drivers.turn import Turn
from ...targets.echo import Echo
from ...targets.gate import Gate
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule
from ..replicas import Replica, replicas
from ..sends import sending

_LONG = 60.0
"""Virtual seconds in which a lease ends, and others take over."""

_ATTEMPTS = 2


@rule(
    "HC-DUR-002",
    needs=["ack_first"],
    why="what was acknowledged does not come again: whoever loses it leaves a person without an answer",
)
async def an_acknowledged_event_is_not_lost(k: Kit) -> None:
    """Killed before it is stored, killed while it runs, on a peer; what kills each process is given up and told."""
    await _killed_before_it_is_stored(k)
    for count, where in ((1, "at the next start"), (2, "on a peer")):
        await _killed_while_it_runs(k, count, where)
    await _given_up(k)


async def _killed_before_it_is_stored(k: Kit) -> None:
    async with replicas(k, Echo()) as (h,):
        inbound = h.inbound(Turn(text=(said := k.nonce())))
        h.plan.strikes = "events.claim"
        async with h.open(inbound) as opened:
            await opened.finished()
            died = await h.host.revived()
            k.control(died, "the process dies before it has stored the event", observed=died)
            if opened.wire().status >= 300:
                await h.wire(inbound)
            await h.rest(_LONG)
            times = (await opened.reply()).texts.count(said)
            k.equal("replies to an event that was about to be stored", times, 1)


async def _killed_while_it_runs(k: Kit, count: int, where: str) -> None:
    target = Gate()
    async with replicas(k, target, count) as hosts:
        h = hosts[0]
        async with h.open(h.inbound(Turn(text=(said := k.nonce())))) as opened:
            await target.reached(said)
            await h.rest()
            await h.host.kill()
            if count == 1:
                await h.host.start()
            target.release(said)
            await h.rest(_LONG)
            times = (await opened.reply()).texts.count(said)
            k.equal(f"replies to an event whose process was killed, {where}", times, 1)


async def _given_up(k: Kit) -> None:
    target = Gate()
    async with replicas(k, target, limits=HostLimits(turn_attempts=_ATTEMPTS)) as (h,):
        async with h.open(h.inbound(Turn(text=(said := k.nonce())))) as opened:
            for number in range(_ATTEMPTS):
                await target.reached(said, number + 1)
                await h.host.kill()
                await h.host.start()
            await h.rest(_LONG)
            texts = (await opened.reply()).texts
        ends = list(h.kept.events.values())
        k.control("dead" in ends, "an event that kills every process is given up", observed=ends)
        k.equal("runs of an event that kills every process", len(h.runs), _ATTEMPTS)
        k.equal("messages that tell of an event that was given up", len(texts), 1)


@rule(
    "HC-DUR-003",
    needs=["outbound", "messaging", "text_limit"],
    why="a process that dies while it sends must not send everything again when it is back",
)
async def a_part_is_sent_once_or_unknown(k: Kit) -> None:
    """The process dies as the second of three parts leaves, and right after it has arrived."""
    limit = k.claim("text_limit").params["limit"]
    parts = [k.nonce() for _ in range(3)]
    filling = f" {'word ' * (limit // 5 + 1)}"
    async with replicas(k, Scripted(filling.join(parts))) as (h,):
        for when in ("before", "after"):
            times, recorded = await _struck(k, h, parts, arrives=when == "after")
            k.check(
                f"parts, killed {when} one arrived", max(times) <= 1, expected="none twice", observed=times
            )
            honest = min(times) == 1 or recorded == ["unknown"]
            k.check(
                f"what is on record, killed {when} one arrived", honest, expected="unknown", observed=recorded
            )


async def _struck(
    k: Kit, h: Replica, parts: list[str], *, arrives: bool
) -> tuple[list[int], list[str | None]]:
    trouble = Struck(h.host.strike, arrives=arrives)
    sent = await sending(h, Turn(text=k.nonce()), [trouble], seconds=_LONG, at=parts[1], dies=True)
    k.control(bool(sent.tries), "the process dies while it sends", observed=sent.tries)
    return [sent.times(part) for part in parts], list(sent.recorded)
