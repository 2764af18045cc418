"""HC-SESS: who shares a conversation with whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from ...drivers.turn import Turn
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.gate import Gates
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule


@rule("HC-SESS-001", needs=["sessions"], why="an agent that forgets the last sentence is no conversation")
async def turns_of_one_conversation_share_a_session(k: Kit) -> None:
    """The second turn counts 2."""
    async with k.host(Counting()) as h:
        first = await h.turn(k.nonce())
        k.control(first.text == "turn 1", "counting begins at 1", observed=first.text)
        k.equal("the second turn", (await h.turn(k.nonce())).text, "turn 2")


@rule("HC-SESS-002", needs=["sessions"], why="one person must never see another's conversation")
async def people_do_not_share_sessions(k: Kit) -> None:
    """What one person said is not known to another."""
    async with k.host(Counting()) as h:
        await h.turn(secret := k.nonce(), user="ann")
        own = await h.turn(Counting.RECALL, user="ann")
        k.control(secret in own.text, "the same person's session holds it", observed=own.text)
        other = await h.turn(Counting.RECALL, user="bob")
        k.equal("what another person's session holds", other.text.strip(), "heard:")
        if k.claim("http").runs and k.claim("auth").runs and not k.claim("messaging").runs:
            await _slow_body(k, h)


async def _slow_body(k: Kit, h: HostedChannel) -> None:
    """While the body of one caller comes slowly, the whole request of another passes it by."""
    turn = Turn(text=k.nonce(), user="ann", conversation="slow")
    await h.wire(h.inbound(turn))
    slow = h.inbound(turn.replace(text=(said := k.nonce())))
    if slow.method != "POST":
        return
    half, begun, passed = len(slow.body) // 2, asyncio.Event(), asyncio.Event()

    async def content() -> AsyncIterator[bytes]:
        yield slow.body[:half]
        begun.set()
        await passed.wait()
        yield slow.body[half:]

    sending = asyncio.create_task(h.exchange(slow, None, content=content()))
    await begun.wait()
    await asyncio.sleep(0.1)
    await h.turn(k.nonce(), user="bob", conversation="slow")
    passed.set()
    answer = await sending
    await answer.aread()
    await answer.aclose()
    sessions = {run.text: run.session.session_id for run in h.runs if run.session is not None}
    own = sessions.get(said) == sessions[turn.text]
    k.equal("whether a request whose body came slowly runs in the session of its own caller", own, True)


class _SlowCounting(Counting):
    """Counts, and stops at a gate when told to wait."""

    WAIT = "wait"

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        async for update in super().answer(run):
            yield update
        if run.text == self.WAIT:
            await self.gates.stop(self.WAIT)


@rule("HC-SESS-007", needs=["reset"], why="/new must begin anew for the one who said it, and for nobody else")
async def reset_moves_one_key(k: Kit) -> None:
    """The next turn counts 1, others go on, and a turn under way does not carry over."""
    target = _SlowCounting()
    async with k.host(target) as h:
        for user in ("ann", "ann", "bob"):
            last = await h.turn(k.nonce(), user=user)
        k.control(last.text == "turn 1", "counting begins at 1", observed=last.text)
        await h.turn(user="ann", reset=True)
        k.equal("the next turn after a reset", (await h.turn(k.nonce(), user="ann")).text, "turn 1")
        k.equal("another person's next turn", (await h.turn(k.nonce(), user="bob")).text, "turn 2")
        async with h.open(h.inbound(Turn(text=_SlowCounting.WAIT, user="ann"))) as slow:
            await target.gates.reached(_SlowCounting.WAIT)
            await h.turn(user="ann", reset=True)
            target.gates.release_all()
            await slow.finished()
            await h.turn(user="bob")  # time for the slow turn, and a reset that waited for it, to end
        after = await h.turn(k.nonce(), user="ann")
        k.equal("the next turn after a reset during a turn", after.text, "turn 1")
    if k.claim("messaging").runs:
        await _in_its_turn(k)


async def _in_its_turn(k: Kit) -> None:
    """A reset comes after what was said before it, and what was said so belongs to the old session (contract 4.8)."""
    target = _SlowCounting()
    async with k.host(target) as h, AsyncExitStack() as stack:

        async def said(turn: Turn) -> None:
            opened = await stack.enter_async_context(h.open(h.inbound(turn)))
            await opened.shows(lambda reply: bool(reply.status), within=0.5)

        await said(Turn(text=_SlowCounting.WAIT))
        await target.gates.reached(_SlowCounting.WAIT)
        await said(Turn(text=(before := k.nonce())))
        await said(Turn(reset=True, text=""))
        await said(Turn(text=(behind := k.nonce())))
        target.gates.release_all()
        await h.turn(user="bob")
        sessions = {run.text: run.session.session_id for run in h.runs if run.session is not None}
        old = sessions.get(_SlowCounting.WAIT)
        places = ["old" if sessions.get(text) == old else "new" for text in (before, behind)]
        k.equal("the sessions of what was said before a reset, and behind it", places, ["old", "new"])
