"""HC-IDEM: what happens once, however often it is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.counting import Counting
from ...targets.echo import Echo
from ...targets.gate import Gate
from ..failing_store import FailingStore
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_AT_ONCE = 0.3
"""Virtual seconds between two taps of a finger."""

_LABELS = tuple(
    f"{prefix}{name}-id"
    for prefix in ("x-", "")
    for name in (
        "delivery",
        "request",
        "event",
        "message",
        "update",
        "webhook",
        "notification",
        "correlation",
    )
)
"""Headers in which senders number what they send."""

_WINDOW = 0.02
"""Virtual seconds between a look at the store and its answer: all copies come in it."""


@rule(
    "HC-IDEM-001",
    needs=["delivery_ids"],
    why="platforms deliver again whenever they doubt; people see double replies",
)
async def a_repeated_delivery_runs_once(k: Kit) -> None:
    """The same delivery id twice gives one run; the second is acknowledged."""
    async with k.host(Echo()) as h:
        delivery = k.nonce()
        first = await h.turn(said := k.nonce(), delivery_id=delivery)
        k.control(said in first.text, "the first delivery is answered", observed=first.text)
        second = await h.turn(said, delivery_id=delivery)
        k.check(
            "the second delivery is acknowledged", second.status < 300, expected="2xx", observed=second.status
        )
        k.equal("runs of both deliveries", [run.text for run in h.runs], [said])
        await h.turn(other := k.nonce(), delivery_id=k.nonce())
        k.equal("runs with another delivery id", [run.text for run in h.runs], [said, other])
        if not k.claim("polling").runs:
            await _alike(k, h)
            await _relabelled(k, h)


async def _relabelled(k: Kit, h: HostedChannel) -> None:
    """Who replays a delivery must not make it new by a header that nobody signed."""
    inbound = h.inbound(Turn(text=(said := k.nonce()), delivery_id=k.nonce()))
    own = {name.lower() for name in inbound.headers}
    await h.wire(inbound)
    await h.wire(inbound.with_headers({name: k.nonce() for name in _LABELS if name not in own}))
    k.equal("runs of a delivery that comes again under other headers", _runs(h, said), 1)


async def _alike(k: Kit, h: HostedChannel) -> None:
    """Ids are compared as they are, and are no order: one may come after a greater one."""
    mixed = k.nonce()
    for which, id in {
        "in small letters": mixed.lower(),
        "the same in capital letters": mixed.upper(),
        "that is long": f"{mixed * 4}a",
        "that is as long and ends otherwise": f"{mixed * 4}b",
        "that is a number": "1042",
        "that is a smaller number": "1041",
        "that is a number beyond those that floats tell apart": str(2**53),
        "that is the number after it": str(2**53 + 1),
    }.items():
        await h.turn(said := k.nonce(), delivery_id=id)
        k.equal(f"runs with a delivery id {which}", _runs(h, said), 1)


def _runs(h: HostedChannel, said: str) -> int:
    return [run.text for run in h.runs].count(said)


@rule(
    "HC-IDEM-002",
    needs=["delivery_ids"],
    why="an impatient platform, or two of its servers, deliver the same event at the same moment",
)
async def simultaneous_copies_run_once(k: Kit) -> None:
    """All copies are on their way through a slow store before one of them has come back."""
    async with k.host(Echo(), state=FailingStore(latency=_WINDOW)) as h:
        alone = await h.turn(first := k.nonce())
        k.control(first in alone.text, "an event is answered over a slow store", observed=alone.text)
        replies = await _copies(h, Turn(text=(said := k.nonce()), delivery_id=k.nonce()), 3)
        k.equal("runs of copies that came at once", [run.text for run in h.runs], [first, said])
        answered = any(said in reply.text for reply in replies)
        k.check("one of the copies is answered", answered, expected=said, observed=[r.text for r in replies])
        refused = [reply.status for reply in replies if reply.status >= 500]
        k.equal("copies that are answered as if the server had failed", refused, [])


async def _copies(h: HostedChannel, turn: Turn, count: int) -> list[Reply]:
    """The turn sent so many times at once; the second copy comes before the first has reached the store."""
    wires = await asyncio.gather(*(h.wire(h.inbound(turn)) for _ in range(count)))
    return [Reply(wire, await h.decode(wire)) for wire in wires]


@rule("HC-IDEM-005", why="a person who says yes twice has said it twice")
async def equal_content_is_no_repetition(k: Kit) -> None:
    """The same words under another id, or in another request, run again, and both are remembered."""
    async with k.host(Counting()) as h:
        said = k.nonce()
        async with h.open(h.inbound(Turn(text=said))) as first:
            await h.rest(_AT_ONCE)
            await h.turn(said)
            await first.finished()
        k.equal("runs of two messages with the same words", [run.text for run in h.runs], [said, said])
        ids = {run.messages[-1].message_id for run in h.runs}
        k.check("each message has an id of its own", len(ids - {None}) == 2, expected="2 ids", observed=ids)
        if k.claim("sessions").runs:
            recalled = await h.turn(Counting.RECALL)
            k.equal("what the session holds", recalled.text.strip(), f"heard: {said} | {said}")


@rule(
    "HC-IDEM-011",
    needs=["delivery_ids", "auth"],
    unless=["messaging"],
    why="a client that lost an answer sends again, and must neither pay twice nor get somebody else's",
)
async def an_idempotency_key_gives_one_answer(k: Kit) -> None:
    """In sequence and at once one run and one answer; for another caller, or in other letters, it is another request.

    A protocol may have the second of two at once wait with 409 (contract 14.1); sent again it gets that answer.
    """
    target = Gate()
    async with k.host(target) as h:
        for how in ("in sequence", "at once"):
            said, key, before = k.nonce(), k.nonce(), len(h.runs)
            turn = Turn(text=said, delivery_id=key, user="ann")
            answers = await (_in_sequence if how == "in sequence" else _at_once)(h, target, turn)
            texts = [reply.text for reply in answers]
            k.control(texts[0] == said, f"{how}: the first request is answered", observed=texts[0])
            k.equal(f"{how}: runs of both requests", len(h.runs) - before, 1)
            k.equal(f"{how}: the answer to the second request", answers[1].text, said)
            bodies = [reply.wire.body for reply in answers]
            k.equal(f"{how}: the body of the second answer", bodies[1], bodies[0])
            target.gates.release(other := k.nonce())
            foreign = await h.turn(other, delivery_id=key, user="bob")
            k.equal(f"{how}: the answer to another caller with the same key", foreign.text, other)
            if k.claim("caller_sessions").runs:
                target.gates.release(more := k.nonce())
                later = await h.turn(more, delivery_id=k.nonce(), user="ann")
                _own_id(k, h, how, (answers[0], foreign, later))
        for key in (mixed := k.nonce(), mixed.upper()):
            target.gates.release(said := k.nonce())
            reply = await h.turn(said, delivery_id=key, user="ann")
        k.equal("the answer under a key that differs in case only", reply.text, said)


def _own_id(k: Kit, h: HostedChannel, how: str, replies: Sequence[Reply]) -> None:
    """Where each answer has an id to continue by, the other caller's answer has one too."""
    first, foreign, later = (
        ask_driver(partial(h.driver.reference, reply), "reference(reply)") for reply in replies
    )
    if first != later:
        k.check(f"{how}: it has an id of its own", first != foreign, expected="two ids", observed=foreign)


async def _in_sequence(h: HostedChannel, target: Gate, turn: Turn) -> list[Reply]:
    target.gates.release(turn.text)
    wires = [await h.wire(h.inbound(turn)) for _ in range(2)]
    return [Reply(wire, await h.decode(wire)) for wire in wires]


async def _at_once(h: HostedChannel, target: Gate, turn: Turn) -> list[Reply]:
    """The second request comes while the first one stands at its gate."""
    async with h.open(h.inbound(turn)) as first, h.open(h.inbound(turn)) as second:
        await target.reached(turn.text)
        await second.shows(lambda reply: bool(reply.status), within=1.0)
        target.gates.release(turn.text)
        await asyncio.gather(first.finished(), second.finished())
        replies = [await first.reply(), await second.reply()]
    if replies[1].status == 409:
        wire = await h.wire(h.inbound(turn))
        replies[1] = Reply(wire, await h.decode(wire))
    return replies
