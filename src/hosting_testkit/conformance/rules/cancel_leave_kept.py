"""HC-CANCEL: what a client that left finds when it comes back."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...targets import steps
from ...targets.scripted import Scripted
from ..hosted import HostedChannel
from ..kit import Kit
from ..later import LaterRun, begins, standing_of, token_of
from ..registry import rule


@rule(
    "HC-CANCEL-013",
    needs=["streaming"],
    any_of=["retrieve", "resume"],
    why="a client whose connection broke has to learn what became of its request",
)
async def what_a_client_left_can_be_found(k: Kit) -> None:
    """It left in the middle: the run was cancelled and says so; told to continue, it ended and all of it is there."""
    said = (k.nonce(), k.nonce())
    if k.claim("retrieve").runs:
        await _cancelled(k)
    target = Scripted(said[0], steps.Stop("middle"), said[1])
    async with k.host(target, options={"on_disconnect": "continue"}) as h:
        run = await _left(k, h, target)
        k.equal("runs under way that go on without their client", target.gates.waiting("middle"), 1)
        target.gates.release("middle")
        if k.claim("retrieve").runs:
            reply = await run.ended()
            k.equal("the standing of a run that went on", standing_of(h, reply), "completed")
            k.equal("the text of a run that went on", reply.text, "".join(said))
        if k.claim("resume").runs:
            read = await run.events()
            k.equal("the events of a run that went on", read.text, "".join(said))


async def _cancelled(k: Kit) -> None:
    target = Scripted(k.nonce(), steps.Stop("middle"))
    async with k.host(target, options={"on_disconnect": "cancel"}) as h:
        run = await _left(k, h, target)
        k.control(not target.gates.waiting("middle"), "a run whose client left is cancelled")
        k.equal("the standing of a run whose client left", await run.standing(), "cancelled")


async def _left(k: Kit, h: HostedChannel, target: Scripted) -> LaterRun:
    """A run whose client left in the middle of its stream."""
    turn = Turn(text=k.nonce(), stream=True)
    async with h.open(h.inbound(turn)) as opened:
        k.control(await begins(target.gates, "middle"), "the run begins")
        begun = await opened.shows(lambda reply: bool(reply.text))
        k.control(begun, "the stream begins")
        token = token_of(h, await opened.reply())
    await h.settled()
    return LaterRun(h, turn, token)
