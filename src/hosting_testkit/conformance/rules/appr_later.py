"""HC-APPR: requests that are answered in another process than the one that asked."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...drivers.wire import Reply, Text
from ...targets import steps
from ...targets.agent import FakeAgent, Run, Updates
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule
from ..replicas import Replica, replicas

_LEASE = 30.0
"""Virtual seconds after which others go on for a process that was killed."""


class _Paying(FakeAgent):
    """Asks before it pays, unless it is given an answer.

    Attributes:
        paid: How often it did.
    """

    def __init__(self) -> None:
        super().__init__()
        self.paid = 0

    async def answer(self, run: Run) -> Updates:
        contents = [content for message in run.messages for content in message.contents]
        if any(content.type == "function_approval_response" for content in contents):
            self.paid += 1
            yield run.update("paid")
        else:
            for piece in steps.Approval("pay", {"amount": 5}, call_id=f"call_{run.number}").pieces():
                yield run.update(*piece.contents, role=piece.role)


@rule(
    "HC-APPR-004",
    needs=["approvals"],
    why="people take hours to answer, and meanwhile there is a new version",
)
async def a_request_outlives_its_process(k: Kit) -> None:
    """Asked by one process it is answered on another one, and by the next one after a kill, where it was asked."""
    target = _Paying()
    group = k.claim("groups").runs
    asking = Turn(text="ask", conversation="room", group=True) if group else Turn(text="ask")
    async with replicas(k, target, 2) as (first, second):
        for number, where in enumerate(("on another replica", "after a kill"), 1):
            reply = await _said(first, asking)
            shown = ask_driver(lambda reply=reply: first.driver.requests(reply), "requests(reply)")
            k.control(len(shown) == 1, f"a request is shown, to be answered {where}", observed=reply.outs)
            answering = first if where == "after a kill" else second
            if where == "after a kill":
                await first.host.kill()
                await first.host.start()
                await first.rest(_LEASE)
            answer = await _answered(answering, asking, shown[0], reply)
            k.equal(f"payments, answered {where}", target.paid, number)
            k.check(
                f"the reply, answered {where}", "paid" in answer.text, expected="paid", observed=answer.outs
            )
            k.equal(f"where the reply goes, answered {where}", _places(answer), _places(reply))


async def _said(h: Replica, turn: Turn) -> Reply:
    wire = await h.wire(h.inbound(turn))
    return Reply(wire, await h.decode(wire))


async def _answered(h: Replica, turn: Turn, request_id: str, reply: Reply) -> Reply:
    inbound = ask_driver(lambda: h.driver.answer(turn, request_id, reply), "answer()")
    wire = await h.wire(inbound)
    return Reply(wire, await h.decode(wire))


def _places(reply: Reply) -> list[str]:
    """To where it was sent, on channels that send."""
    return sorted({out.to for out in reply.outs if isinstance(out, Text) and out.to is not None})
