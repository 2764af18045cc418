"""HC-LIFE: a channel's start and stop when something fails, itself or another channel."""

from __future__ import annotations

from collections.abc import Sequence

from ...targets.echo import Echo
from ..census import Census
from ..kit import Kit
from ..model import Failed
from ..peers import Peer
from ..registry import rule


@rule("HC-LIFE-002", why="what is stopped twice breaks, what is not stopped leaks")
async def stops_once_in_reverse_order(k: Kit) -> None:
    """Alone, beside a channel that cannot start and beside one that cannot stop: each callback runs once."""
    for fails in ("", "start", "stop"):
        peers = Peer("early", k.log), Peer("broken", k.log, fails=fails), Peer("late", k.log)
        mark = len(k.log.events)
        try:
            async with k.host(Echo(), peers=lambda one, peers=peers: [peers[0], one, *peers[1:]]) as h:
                reply = await h.turn(said := k.nonce())
                k.check("a turn beside others", said in reply.text, expected=said, observed=reply.text)
        except Failed as failure:
            k.check(
                "the app starts beside others", fails == "start", expected="a start", observed=str(failure)
            )
        _look_at_stop(k, mark, f"beside a channel that cannot {fails}" if fails else "beside others")


def _look_at_stop(k: Kit, mark: int, where: str) -> None:
    events = k.log.events[mark:]
    stops = [event.detail for event in events if event.kind == "shutdown.begin"]
    ended = [event.detail for event in events if event.kind == "shutdown.end"]
    count = len(k.contributed[-1].on_shutdown)
    k.equal(f"shutdown callbacks that raised {where}", sorted(set(stops) - set(ended)), [])
    order = [
        event.detail
        for event in events
        if event.kind == "shutdown.begin" or event.detail in ("late stop", "early stop")
    ]
    expected = ["late stop", *(str(n) for n in range(count, 0, -1)), "early stop"]
    k.control(order == expected, f"the order of the stop {where}", observed=order)


@rule("HC-LIFE-003", why="a channel that started half looks healthy and answers nobody")
async def failed_starts_are_clean(k: Kit) -> None:
    """Another's failure stops this channel without a trace; its own is raised, or it works later on."""
    before = Census.take()
    raised = ""
    try:
        async with k.host(Echo(), peers=lambda one: [Peer("broken", k.log, fails="start"), one]):
            pass
    except Failed as failure:
        raised = str(failure)
    k.control("broken cannot start" in raised, "the other channel's failure ends the start", observed=raised)
    tried = {event.detail for event in k.log.events if event.kind == "startup.begin"}
    each = len(tried) == len(k.contributed[-1].on_startup)
    k.control(each, "the channel is started all the same", observed=tried)
    k.equal("left over after a failed start", _left(k, before), [])
    if k.claim("outbound").runs:
        await _without_platform(k)


async def _without_platform(k: Kit) -> None:
    """A channel whose platform is out of reach at its start refuses to start, or answers once it is back."""
    said, answer, refusal = k.nonce(), "", ""
    try:
        async with k.host(Echo(), reachable=False) as h:
            h.env.reachable = True
            answer = (await h.turn(said)).text
    except Failed as failure:
        refusal = str(failure)
    fine = said in answer or "startup" in refusal
    k.check("a turn after a start without the platform", fine, expected=said, observed=answer or refusal)


def _left(k: Kit, before: Census) -> Sequence[str]:
    return Census.take(known=[client for env in k.envs for client in env.clients]).left_over_from(before)
