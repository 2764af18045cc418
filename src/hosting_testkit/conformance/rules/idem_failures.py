"""HC-IDEM: what a redelivery finds after something went wrong."""

from __future__ import annotations

import asyncio

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.agent import Run, Updates
from ...targets.echo import Echo
from ...targets.gate import Gates
from ...transports.asgi import BridgeOptions
from ..failing_store import FailingStore
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule

_OUTAGE = 5.0
"""Virtual seconds after which a host has noticed that its store is back."""


class _Steered(Echo):
    """An echo; told `fail …` it fails, told `wait …` it stops at the gate of that name first."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        if run.text.startswith("wait"):
            await self.gates.stop(run.text)
        if run.text.startswith("fail"):
            raise RuntimeError("the target fails")
        async for update in super().answer(run):
            yield update


@rule(
    "HC-IDEM-003", needs=["delivery_ids"], why="what was refused comes again, and nobody else has the message"
)
async def what_was_not_claimed_is_not_remembered(k: Kit) -> None:
    """While the store is away an event is refused; delivered again it runs, once."""
    store = FailingStore()
    async with k.host(Echo(), state=store) as h:
        turn = Turn(text=(said := k.nonce()), delivery_id=k.nonce())
        store.reachable = False
        refused = await h.wire(h.inbound(turn))
        store.reachable = True
        k.equal("runs while the store is away", len(h.runs), 0)
        if k.claim("http").runs:
            k.equal("the status while the store is away", refused.status, 503)
        await _later(_OUTAGE)
        again = await h.turn(said, delivery_id=turn.delivery_id)
        k.equal("runs after it was delivered again", [run.text for run in h.runs], [said])
        if k.claim("http").runs:
            k.equal("the answer then", again.text, said)
        await h.turn(said, delivery_id=turn.delivery_id)
        k.equal("runs after a third delivery", len(h.runs), 1)


@rule(
    "HC-IDEM-004",
    needs=["delivery_ids"],
    why="a run that sent money or mail must not happen again because its end went wrong",
)
async def a_failure_after_the_claim_repeats_nothing(k: Kit) -> None:
    """A failed run, an end that could not be stored, a lost acknowledgement, a send that nobody answered."""
    store, target = FailingStore(), _Steered()
    async with k.host(target, state=store) as h:
        failed = Turn(text=f"fail {k.nonce()}", delivery_id=k.nonce())
        told = await h.wire(h.inbound(failed))
        k.control(len(h.runs) == 1, "the failing run begins", observed=told.status)
        await _again(k, h, failed, "a failed run")
        unstored = Turn(text=f"wait {k.nonce()}", delivery_id=k.nonce())
        await _store_lost(h, store, target, unstored)
        await _again(k, h, unstored, "an end that could not be stored")
        lost = Turn(text=k.nonce(), delivery_id=k.nonce())
        await h.wire(h.inbound(lost), bridge=BridgeOptions(drop_after=0, raise_app_errors=False))
        await _again(k, h, lost, "a lost acknowledgement")
        if k.claim("outbound").runs and k.claim("messaging").runs:
            await _unsent(k, h)
        alive = await h.turn(said := k.nonce())
        k.equal("the next turn", alive.text, said)


async def _again(k: Kit, h: HostedChannel, turn: Turn, after: str) -> None:
    """Delivers the turn once more: it has run once, and nobody is shown anything."""
    again = await h.turn(turn.text, delivery_id=turn.delivery_id)
    k.equal(f"runs after {after}", [run.text for run in h.runs].count(turn.text), 1)
    if k.claim("messaging").runs:
        k.equal(f"what is shown because of a redelivery after {after}", again.texts, [])


async def _store_lost(h: HostedChannel, store: FailingStore, target: _Steered, turn: Turn) -> None:
    """The store goes away during the run, and comes back after it."""
    async with h.open(h.inbound(turn)) as opened:
        await target.gates.reached(turn.text)
        store.reachable = False
        target.gates.release(turn.text)
        await _later(1.0)
        store.reachable = True
        await opened.finished()
    await _later(_OUTAGE)


async def _unsent(k: Kit, h: HostedChannel) -> None:
    """The platform is away while the reply is due; then it is sent once."""
    turn = Turn(text=k.nonce(), delivery_id=k.nonce())
    h.env.reachable = False
    async with h.open(h.inbound(turn)) as opened:
        await _later(0.5)
        shown = (await opened.reply()).texts
        k.control(not shown, "nothing is shown while the platform is away", observed=shown)
        h.env.reachable = True
        wire = await h.wire(h.inbound(turn))
        await _later(_OUTAGE)
        whole = Reply(wire, (await opened.reply()).outs)
    k.equal("runs after a send that failed", [run.text for run in h.runs].count(turn.text), 1)
    k.equal("how often the reply is shown after a send that failed", whole.texts.count(turn.text), 1)


async def _later(seconds: float) -> None:
    await asyncio.sleep(seconds)
