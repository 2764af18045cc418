"""HC-WF: workflows behind a channel."""

from __future__ import annotations

from contextlib import AsyncExitStack

from hosting import ChannelRequest, HostLimits

from ...drivers.turn import Turn
from ...targets.gate import Gates
from ...targets.misbehaving import Failing
from ...targets.workflows import (
    Order,
    workflow_echo,
    workflow_failing,
    workflow_multi,
    workflow_slow,
    workflow_typed,
)
from ..kit import Kit
from ..registry import rule
from ..shown import seen, told


@rule("HC-WF-001", needs=["workflow"], why="a workflow that gives three answers has not given one")
async def every_output_is_rendered(k: Kit) -> None:
    """All outputs, in the order in which they were given."""
    async with k.host(workflow_multi) as h:
        reply = await h.turn(said := k.nonce())
    outputs = [f"{which} {said}" for which in ("first", "second", "third")]
    places = [reply.text.find(output) for output in outputs]
    k.equal("outputs that are missing", [o for o, at in zip(outputs, places, strict=True) if at < 0], [])
    k.check("the order of the outputs", places == sorted(places), expected=outputs, observed=reply.texts)


@rule(
    "HC-WF-002", needs=["workflow", "hooks"], why="who sends the wrong thing must learn what the right one is"
)
async def input_is_checked_before_the_run(k: Kit) -> None:
    """Text goes as text, what a run hook makes of it as that; anything else is refused with the type that is missing."""
    async with k.host(workflow_echo) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "text reaches a workflow that takes text", observed=reply.text)

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        return request.replace(input=Order("pear", 7))

    async with k.host(workflow_typed, options={"run_hook": run_hook}) as h:
        reply = await h.turn(k.nonce())
        k.check("the typed input of a hook", "7-pear" in reply.text, expected="7-pear", observed=reply.text)
    async with k.host(workflow_typed) as h:
        refused = await h.turn(k.nonce())
        if not k.claim("messaging").runs:
            k.equal("the status of a mismatch", refused.status, 422)
            k.check(
                "the mismatch names the type",
                "Order" in told(refused),
                expected="Order",
                observed=told(refused),
            )
        k.check("something is told of a mismatch", bool(told(refused)), observed=refused.wire)


@rule(
    "HC-WF-003",
    needs=["workflow", "streaming"],
    why="people want a workflow's answer, once, and nothing of its machinery",
)
async def a_streamed_workflow_says_its_outputs_once(k: Kit) -> None:
    """The stream holds each output once, in order, nothing else, and ends once."""
    async with k.host(workflow_multi) as h:
        whole = await h.turn(said := k.nonce(), user="ann")
        stream = await h.turn(said, user="bob", stream=True)
    k.control(said in whole.text, "the one-shot answer holds the outputs", observed=whole.texts)
    k.equal("texts of the stream", stream.texts, whole.texts)
    k.equal("how often the text is in the stream", stream.text.count(said), 3)
    if not k.claim("edits").runs:
        k.equal("ends of the stream", len(stream.terminals), 1)


@rule("HC-WF-005", needs=["workflow"], why="two people's orders must not end up in one basket")
async def concurrent_workflows_are_apart(k: Kit) -> None:
    """Two people's turns run at the same time, and each gets the own output only."""
    gates, mine, yours = Gates(), k.nonce(), k.nonce()
    async with k.host(lambda: workflow_slow(gates), limits=HostLimits()) as h, AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(h.open(h.inbound(Turn(text=text, user=user))))
            for text, user in ((mine, "ann"), (yours, "bob"))
        ]
        together = [
            await opened[0].shows(lambda _, text=text: gates.waiting(text) > 0, within=1.0)
            for text in (mine, yours)
        ]
        k.equal("who stands at the gate at the same time", together, [True, True])
        gates.release_all()
        for each in opened:
            await each.finished()
        answered = await opened[1].shows(lambda reply: yours in reply.text)
        k.check("the second person's answer", answered, expected=yours)
        if not k.claim("messaging").runs:
            replies = [await each.reply() for each in opened]
            k.equal("both answers", [reply.text for reply in replies], [mine, yours])


@rule("HC-WF-007", needs=["workflow"], why="a failure that looks like an answer is believed")
async def a_failed_workflow_fails_like_an_agent(k: Kit) -> None:
    """Status, code and secrecy are those of an agent that failed."""
    canary = k.nonce()
    async with k.host(Failing(RuntimeError(canary))) as h:
        agent = await h.turn(k.nonce())
    k.control(bool(told(agent)), "a failed agent is told", observed=agent.wire)
    async with k.host(lambda: workflow_failing(RuntimeError(canary))) as h:
        workflow = await h.turn(k.nonce())
    k.equal("the status", workflow.status, agent.status)
    k.equal("the codes", [error.code for error in workflow.errors], [error.code for error in agent.errors])
    k.check("something is told", bool(told(workflow)), observed=workflow.wire)
    k.check("the exception stays inside", canary not in seen(workflow.wire), observed=seen(workflow.wire))
