"""HC-ERR: failures after the first byte."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...targets import steps
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule

_BLANK = "\n\n"


@rule("HC-ERR-007", needs=["streaming"], why="half an answer that looks whole is worse than none")
async def a_failure_in_the_middle_is_told(k: Kit) -> None:
    """What was said stays, an error follows in the protocol, and it does not look like success."""
    first, second, canary = k.nonce(), k.nonce(), k.nonce()
    async with k.host(Scripted(first, steps.Sleep(0.2), second)) as h:
        plain = await h.turn(stream=True)
        k.control(second in plain.text, "a whole answer is streamed", observed=plain.text)
    target = Scripted(first, _BLANK, steps.Stop("middle"), steps.Fail(RuntimeError(f"canary {canary}")))
    async with k.host(target) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await target.gates.reached("middle")
        shown = await opened.shows(lambda reply: first in reply.text)
        k.control(shown, "the first text is visible before the failure", observed=(await opened.reply()).text)
        target.gates.release_all()
        await opened.finished()
        told = await opened.shows(lambda reply: bool(reply.errors) or len(reply.text) > len(first + _BLANK))
        reply = await opened.reply()
    k.check("the failure is told", told, expected="an error or an apology", observed=reply.outs)
    if not k.claim("edits").runs:
        stays = f"{first}{_BLANK}" in reply.text
        k.check("what was said before it stays", stays, expected=f"{first}{_BLANK}", observed=reply.text)
        k.check("the error is the protocol's", bool(reply.errors), expected="an error", observed=reply.outs)
    ends = [[end.status for end in seen.terminals] for seen in (reply, plain)]
    differs = not ends[0] or ends[0] != ends[1]
    k.check("it does not end as a whole answer does", differs, expected="another end", observed=ends[0])
    k.equal("terminal events", len(ends[0]), len(ends[1]))
    leaked = canary.encode() in b"".join((reply.wire.body, *(call.body for call in reply.wire.calls)))
    k.check("nothing of the exception is told", not leaked, expected="nothing", observed=canary)
