"""HC-STREAM: when pieces of an answer come, in which order, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from hosting import HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Reply, Text, Wire
from ...targets import steps
from ...targets.agent import FakeAgent, Run, Updates
from ...targets.gate import Gates
from ...targets.scripted import Scripted
from ...transports.asgi import BridgeOptions
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_PIECES = 12
_TURNS = 3


@rule("HC-STREAM-001", needs=["streaming"], why="people wait for the first word, not for the last")
async def output_leaves_before_the_end(k: Kit) -> None:
    """The first piece is visible while the target still stands at its gate."""
    first, second = k.nonce(), k.nonce()
    target = Scripted(first, steps.Stop("middle"), second)
    async with k.host(target) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await target.gates.reached("middle")
        early = await opened.shows(lambda reply: first in reply.text)
        target.gates.release_all()
        whole = await opened.shows(lambda reply: second in reply.text)
        observed = (await opened.reply()).text
        k.control(whole, "the whole answer is visible in the end", observed=observed)
        k.check(
            "the first piece is visible before the end",
            early,
            expected=first,
            observed="nothing until the end",
        )


@rule(
    "HC-STREAM-002",
    needs=["streaming"],
    why="a word that comes twice, or in the wrong place, is another answer",
)
async def each_piece_comes_once_in_order(k: Kit) -> None:
    """Whether the pieces come at once, with pauses, or to a slow reader."""
    said = k.nonce()[:8]
    pieces = [f"{number:x}{said[number % 8]} " for number in range(_PIECES - 1)] + ["end"]
    paused = [step for piece in pieces for step in (piece, steps.Sleep(0.05))]
    slow = BridgeOptions(window=0, raise_app_errors=False)
    for name, script, bridge in (
        ("pieces with pauses", paused, None),
        ("pieces at once", pieces, None),
        ("pieces to a slow reader", pieces, slow),
    ):
        async with k.host(Scripted(*script)) as h:
            wire = await h.wire(h.inbound(Turn(stream=True)), bridge=bridge)
            reply = Reply(wire, await h.decode(wire))
        k.equal(f"{name}: what is visible in the end", reply.text, "".join(pieces))


@rule(
    "HC-STREAM-004",
    needs=["streaming"],
    unless=["edits"],
    why="clients stop reading at the first terminal event",
)
async def one_terminal_event(k: Kit) -> None:
    """Exactly one, and nothing after it, however the turn ends."""
    scripts: dict[str, list[steps.Step]] = {
        "a plain answer": ["a", "b"],
        "an empty answer": [],
        "a failure in the middle": ["0 ", "1 ", steps.Fail(RuntimeError("in the middle"))],
    }
    for name, script in scripts.items():
        async with k.host(Scripted(*script)) as h:
            reply = await h.turn(stream=True)
        if name == "a plain answer":
            k.control(reply.text.startswith("ab"), "the plain answer is streamed", observed=reply.text)
        k.equal(f"terminal events after {name}", len(reply.terminals), 1)
        k.equal(f"events behind the terminal one after {name}", list(reply.after_terminal), [])


class _Interleaved(FakeAgent):
    """Says the last word of what it was told, again and again, and waits at a gate each time."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        for number in range(_TURNS):
            yield run.update(f"{run.text}{number} ")
            await self.gates.stop(f"{run.text}{number}")


@rule("HC-STREAM-019", needs=["streaming"], why="one person must never see a word of another's answer")
async def concurrent_streams_stay_apart(k: Kit) -> None:
    """Two answers grow in turns, piece by piece, and neither shows a piece or the id of the other."""
    target = _Interleaved()
    said = {user: k.nonce()[:8] for user in ("ann", "bob")}
    async with k.host(target, limits=HostLimits()) as h, AsyncExitStack() as stack:
        opened = {
            user: await stack.enter_async_context(
                h.open(h.inbound(Turn(text=text, user=user, conversation=user, stream=True)))
            )
            for user, text in said.items()
        }
        for number in range(_TURNS):
            for text in said.values():
                await target.gates.reached(f"{text}{number}")
            for text in said.values():
                target.gates.release(f"{text}{number}")
                await _rest()
        for user, text in said.items():
            await opened[user].finished()
            await opened[user].shows(lambda reply, text=text: f"{text}{_TURNS - 1}" in reply.text)
            expected = "".join(f"{text}{number} " for number in range(_TURNS)).strip()
            seen = _meant_for(user, await opened[user].reply())
            k.equal("what one of two readers sees", seen.text.strip(), expected)
        if not k.claim("edits").runs:
            _have_ids_of_their_own(k, h, [opened[user].wire() for user in said])


def _have_ids_of_their_own(k: Kit, h: HostedChannel, wires: Sequence[Wire]) -> None:
    """No event of one answer names another answer."""
    pairs = [ask_driver(lambda wire=wire: h.driver.ids(wire), "ids(wire)") for wire in wires]
    ids = [list(dict.fromkeys(id for kind, id in found if kind == "response")) for found in pairs]
    named = [id for found in ids for id in found]
    apart = all(len(found) <= 1 for found in ids) and len(set(named)) == len(named)
    k.check("each of two streams names itself only", apart, expected="one id each", observed=ids)


async def _rest() -> None:
    await asyncio.sleep(0.3)


def _meant_for(user: str, reply: Reply) -> Reply:
    """Without what a platform was sent for another conversation."""
    outs = [out for out in reply.outs if not isinstance(out, Text) or out.to in (None, user)]
    return Reply(reply.wire, outs)
