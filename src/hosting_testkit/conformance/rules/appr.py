"""HC-APPR: requests that a person answers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from hosting import HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets import steps
from ...targets.agent import FakeAgent, Run, Updates
from ...targets.gate import Gates
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_DAY = 86_400.0
_HOUR = 3_600.0


class _Asking(FakeAgent):
    """Asks before it pays when told `ask`, stops at a gate when told `wait`, and gives other texts back.

    Attributes:
        paid: How often the tool ran.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()
        self.paid = 0

    async def answer(self, run: Run) -> Updates:
        contents = [content for message in run.messages for content in message.contents]
        answers = [content for content in contents if content.type == "function_approval_response"]
        if answers:
            approved = sum(content.approved is True for content in answers)
            self.paid += approved
            yield run.update("paid" if approved else "kept")
        elif run.text == "ask":
            for piece in steps.Approval("pay", {"amount": 5}, call_id=f"call_{run.number}").pieces():
                yield run.update(*piece.contents, role=piece.role)
        else:
            if run.text == "wait":
                await self.gates.stop("wait")
            yield run.update(run.text)


async def _asked(k: Kit, h: HostedChannel, turn: Turn) -> tuple[str, Reply]:
    """A request that is open, and the answer that shows it."""
    wire = await h.wire(h.inbound(turn))
    reply = Reply(wire, await h.decode(wire))
    shown = ask_driver(lambda: h.driver.requests(reply), "requests(reply)")
    k.equal("requests that the answer shows", len(shown), 1)
    k.control(bool(shown), "a request is shown as the protocol shows it", observed=reply.outs)
    return shown[0], reply


async def _answered(h: HostedChannel, turn: Turn, request_id: str, reply: Reply) -> Reply:
    inbound = ask_driver(lambda: h.driver.answer(turn, request_id, reply), "answer()")
    wire = await h.wire(inbound)
    return Reply(wire, await h.decode(wire))


@rule(
    "HC-APPR-001", needs=["approvals"], why="an agent that asks must not hang, and the answer must be heard"
)
async def a_request_waits_without_holding_the_session(k: Kit) -> None:
    """The request is shown, other turns go on, and the answer runs next, ahead of those that wait."""
    target, asking = _Asking(), Turn(text="ask")
    async with k.host(target, limits=HostLimits()) as h, AsyncExitStack() as stack:
        request_id, asked = await _asked(k, h, asking)
        other = await h.turn(said := k.nonce())
        k.equal("another turn while the request is open", other.text, said)
        for text in ("wait", later := k.nonce()):
            opened = await stack.enter_async_context(h.open(h.inbound(Turn(text=text))))
            await opened.shows(lambda reply: bool(reply.wire.status), within=0.5)
        answering = asyncio.ensure_future(_answered(h, asking, request_id, asked))
        await _time_passes(1.0)
        target.gates.release_all()
        answer = await answering
        k.equal("times that the tool ran", target.paid, 1)
        k.check("the answer is answered", "paid" in answer.text, expected="paid", observed=answer.outs)
        await h.turn(user="bob")  # time for what waited
        order = [run.text for run in h.runs if run.text in ("wait", "", later)]
        k.equal("runs, the answer ahead of the turn that waited", order, ["wait", "", later])


@rule("HC-APPR-002", needs=["approvals"], why="a button that is pressed twice must not pay twice")
async def a_request_is_answered_once(k: Kit) -> None:
    """A second press, a replay and the same answer in another branch change nothing."""
    target, asking = _Asking(), Turn(text="ask")
    async with k.host(target) as h:
        request_id, asked = await _asked(k, h, asking)
        await _answered(h, asking, request_id, asked)
        k.control(target.paid == 1, "the first answer runs the tool", observed=target.paid)
        again = await _answered(h, asking, request_id, asked)
        k.equal("times that the tool ran after a second answer", target.paid, 1)
        k.check("the second answer says nothing was paid", "paid" not in again.text, observed=again.outs)
        if k.claim("caller_sessions").runs:
            parent = ask_driver(lambda: h.driver.reference(asked), "reference(reply)")
            await _answered(h, asking.replace(parent=parent), request_id, asked)
            k.equal("times that the tool ran after an answer in another branch", target.paid, 1)
        k.equal("the next turn", (await h.turn(said := k.nonce())).text, said)


@rule(
    "HC-APPR-003",
    needs=["approvals", "groups"],
    why="whoever may press a button in a group spends other people's money",
)
async def only_the_person_asked_can_answer(k: Kit) -> None:
    """A press by another member, or one after the time is over, runs nothing."""
    target, asking = _Asking(), Turn(text="ask", user="ann", conversation="room", group=True)
    kept = k.claim("approvals").params.get("ttl", _DAY)
    async with k.host(target) as h:
        request_id, asked = await _asked(k, h, asking)
        await _answered(h, asking.replace(user="bob"), request_id, asked)
        k.equal("times that the tool ran after another member's press", target.paid, 0)
        await _answered(h, asking, request_id, asked)
        k.control(target.paid == 1, "the person who was asked can answer", observed=target.paid)
        request_id, asked = await _asked(k, h, asking)
        await _time_passes(kept + _HOUR)
        await _answered(h, asking, request_id, asked)
        k.equal("times that the tool ran after an answer that came too late", target.paid, 1)


async def _time_passes(seconds: float) -> None:
    await asyncio.sleep(seconds)
