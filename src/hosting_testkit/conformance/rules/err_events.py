"""HC-ERR-009: which events the platform is asked to send again."""

from __future__ import annotations

from hosting import ChannelRequest, HookRejected

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ...targets.misbehaving import Failing
from ..absent_store import AbsentStore
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule


@rule(
    "HC-ERR-009",
    needs=["webhook"],
    why="what is sent again without need runs twice; what is acknowledged and not kept is lost",
)
async def only_unclaimed_events_come_again(k: Kit) -> None:
    """Claimed and refused events are acknowledged, whatever comes of them; 503 asks for the one that was not kept."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary event is answered", observed=reply.text)
        h.env.reachable = False
        await _acknowledged(k, h, "an event whose reply cannot be sent")
    async with k.host(Failing()) as h:
        await _acknowledged(k, h, "an event whose run fails")
    if k.claim("hooks").runs:
        async with k.host(Echo(), options={"run_hook": _refuse}) as h:
            await _acknowledged(k, h, "an event that is refused", runs=0)
    await _store_away(k)


def _refuse(request: ChannelRequest) -> ChannelRequest:
    raise HookRejected("not you")


async def _acknowledged(k: Kit, h: HostedChannel, name: str, *, runs: int = 1) -> None:
    before = len(h.runs)
    inbound = h.inbound(Turn(text=k.nonce()))
    first = await h.wire(inbound)
    k.check(f"{name}: it is acknowledged", first.status < 300, expected="2xx", observed=first.status)
    k.equal(f"{name}: runs", len(h.runs) - before, runs)


async def _store_away(k: Kit) -> None:
    store = AbsentStore()
    async with k.host(Echo(), state=store) as h:
        inbound = h.inbound(Turn(text=(said := k.nonce())))
        store.away = True
        refused = await h.wire(inbound)
        k.equal("status while the store cannot be reached", refused.status, 503)
        k.equal("runs while the store cannot be reached", len(h.runs), 0)
        store.away = False
        wire = await h.wire(inbound)
        k.check("the same event, sent again: status", wire.status < 300, expected="2xx", observed=wire.status)
        shown = [said in str(out) for out in await h.decode(wire)]
        k.check("the same event, sent again: it is answered", any(shown), expected=said, observed=shown)
        k.equal("the same event, sent again: runs", len(h.runs), 1)
