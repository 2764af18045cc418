"""HC-STREAM-014: what goes over an event stream while there is nothing to say."""

from __future__ import annotations

from itertools import pairwise

from hosting import HostLimits

from ...drivers.turn import Turn
from ...targets import steps
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule

_KEEPALIVE = 10.0
_SLACK = 1.0
_INTERVALS = 3


@rule(
    "HC-STREAM-014",
    needs=["streaming", "sse"],
    why="proxies and clients close a connection on which nothing comes, in the middle of a long thought",
)
async def silence_is_kept_alive(k: Kit) -> None:
    """Bytes come in each interval of a silence, and a client reads nothing into them."""
    first = k.nonce()
    target = Scripted(first, steps.Stop("silence"))
    async with (
        k.host(target, limits=HostLimits(keepalive=_KEEPALIVE)) as h,
        h.open(h.inbound(Turn(stream=True))) as opened,
    ):
        await target.gates.reached("silence")
        early = await opened.shows(lambda reply: first in reply.text)
        k.control(early, "the stream has begun", observed=early)
        before = await opened.reply()
        lengths = [len(before.wire.body)]
        for _ in range(_INTERVALS):
            await h.rest(_KEEPALIVE + _SLACK)
            lengths.append(len(opened.wire().body))
        grown = [behind > ahead for ahead, behind in pairwise(lengths)]
        k.equal(f"something comes in each {_KEEPALIVE:g} s of a silence", grown, [True] * _INTERVALS)
        k.equal("what a client makes of it", list((await opened.reply()).outs), list(before.outs))
        target.gates.release_all()
