"""HC-DUR: a machine's clock that is set right while the channel works."""

from __future__ import annotations

from ...clock import VirtualClock
from ...drivers.turn import Turn
from ...targets.counting import Counting
from ...targets.scripted import Scripted
from ...targets.steps import Stop
from ..hosted import HostedChannel
from ..kit import Kit
from ..model import Failed
from ..registry import rule

_JUMP = 3600.0
_SOON = 10.0
_POINT = "middle"


@rule(
    "HC-DUR-005",
    why="clocks are set back and ahead; a bot that waits for the old time is silent, and one that believes the new forgets",
)
async def a_clock_that_jumps_breaks_nothing(k: Kit) -> None:
    """Set back and ahead by an hour, in the middle of a turn and between turns: answers, copies, order and session hold."""
    for direction, seconds in (("back", -_JUMP), ("ahead", _JUMP)):
        clock = VirtualClock().bind()
        await _in_a_turn(k, clock, direction, seconds)
        await _between_turns(k, clock, direction, seconds)


async def _in_a_turn(k: Kit, clock: VirtualClock, direction: str, seconds: float) -> None:
    target = Scripted(first := k.nonce(), Stop(_POINT), last := k.nonce())
    turn = Turn(text=k.nonce(), stream=k.claim("streaming").runs)
    async with k.host(target, time_source=clock) as h, h.open(h.inbound(turn)) as opened:
        await _reached(target)
        await h.rest()
        clock.skew(seconds)
        target.gates.release(_POINT)
        soon = await opened.shows(lambda reply: first + last in reply.text, within=_SOON)
        texts = (await opened.reply()).texts
        k.check(f"the answer, the clock set {direction} in between", soon, expected="soon", observed=texts)


async def _between_turns(k: Kit, clock: VirtualClock, direction: str, seconds: float) -> None:
    async with k.host(Counting(), time_source=clock) as h:
        old = Turn(text=k.nonce(), delivery_id=k.nonce() if k.claim("delivery_ids").runs else None)
        before = await h.turn(old.text, delivery_id=old.delivery_id)
        k.control("turn 1" in before.text, "a turn before", observed=before.text)
        clock.skew(seconds)
        said = [k.nonce() for _ in range(2)]
        for text in said:
            await _sent(h, text)
        await h.rest()
        k.equal(f"runs after the clock was set {direction}", [run.text for run in h.runs[1:]], said)
        if k.claim("sessions").runs:
            recalled = await h.turn(Counting.RECALL)
            heard = f"heard: {' | '.join([old.text, *said])}"
            k.equal(f"the session after the clock was set {direction}", recalled.text.strip(), heard)
        if old.delivery_id is not None:
            runs = len(h.runs)
            await h.turn(old.text, delivery_id=old.delivery_id)
            k.equal(f"runs of a copy after the clock was set {direction}", len(h.runs) - runs, 0)


async def _sent(h: HostedChannel, text: str) -> None:
    """A turn that is taken; the next one need not wait for its answer where that comes later."""
    async with h.open(h.inbound(Turn(text=text))) as opened:
        await opened.finished()


async def _reached(target: Scripted) -> None:
    try:
        await target.gates.reached(_POINT)
    except AssertionError as error:
        raise Failed(f"the turn does not reach the target: {error}") from error
