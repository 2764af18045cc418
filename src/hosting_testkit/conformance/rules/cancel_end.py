"""HC-CANCEL: runs that have to be ended, and runs that have to go on."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from hosting import HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.gate import Gates
from ...transports.asgi import BridgeOptions
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_RUN_TIMEOUT = 20.0
_SLOW = 500.0
"""Less than `HostLimits.run_timeout` is by default."""

_STYLES = ("2.3", "2.4")
_FORMS = ("plain", "upper", "own_name")


class _GatedCounting(Counting):
    """Counts, and stops at a gate of the text's own name when the text is one of `stops`."""

    def __init__(self, *stops: str) -> None:
        super().__init__()
        self.stops = stops
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        async for update in super().answer(run):
            yield update
        if run.text in self.stops:
            await self.gates.stop(run.text)


@rule("HC-CANCEL-009", why="a model that hangs must not hang everybody who asks it")
async def a_hanging_target_is_ended(k: Kit) -> None:
    """After the run timeout the client is told in the protocol, and the conversation goes on."""
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        how = "streamed" if stream else "one-shot"
        target = _GatedCounting(hangs := k.nonce())
        async with k.host(target, limits=HostLimits(run_timeout=_RUN_TIMEOUT)) as h:
            turn = Turn(text=hangs, conversation="c", stream=stream)
            async with h.open(h.inbound(turn)) as opened:
                await target.gates.reached(hangs)
                early = await opened.shows(lambda reply: bool(reply.errors), within=_RUN_TIMEOUT - 1)
                k.control(not early, f"{how}: no failure is told while the time runs", observed=early)
                before = set((await opened.reply()).texts)
                ended = await opened.shows(
                    lambda reply, before=before: _told_and_over(reply, before), within=6.0
                )
                reply = await opened.reply()
            k.check(
                f"{how}: the failure is told and the response ends",
                ended,
                expected=f"an error or an apology after {_RUN_TIMEOUT:g} s",
                observed=list(reply.outs) if reply.wire.complete else "a response that is still open",
            )
            after = await h.turn(k.nonce(), conversation="c")
            k.equal(f"{how}: the next turn", after.text, "turn 1")
        await _slow_run(k, how, stream)


async def _slow_run(k: Kit, how: str, stream: bool) -> None:
    """How long a run may take is the operator's to say, and nobody else's."""
    target = _GatedCounting(slow := k.nonce())
    async with k.host(target) as h, h.open(h.inbound(Turn(text=slow, stream=stream))) as opened:
        await target.gates.reached(slow)
        early = await opened.shows(lambda reply: bool(reply.errors), within=_SLOW)
        target.gates.release(slow)
        shown = await opened.shows(lambda reply: "turn 1" in reply.text, within=6.0)
        reply = await opened.reply()
    answered = shown and not early
    k.check(
        f"{how}: a run of {_SLOW:g} s is answered", answered, expected="turn 1", observed=list(reply.outs)
    )


@rule(
    "HC-CANCEL-010",
    needs=["ack_first", "http"],
    why="platforms close the connection as soon as they have their answer",
)
async def an_acknowledged_run_goes_on(k: Kit) -> None:
    """The run is under way when the platform hangs up, on a server that cancels with it; the reply comes."""
    for style in _STYLES:
        target = _GatedCounting(said := k.nonce())
        async with k.host(target) as h:
            plain = await h.turn(k.nonce(), user="bob")
            k.control(plain.text == "turn 1", "an ordinary turn is answered", observed=plain.text)
            calls = len(h.env.calls)
            bridge = BridgeOptions(asgi=style, grace=0.0, raise_app_errors=False)
            async with h.open(h.inbound(Turn(text=said, user="ann")), bridge=bridge):
                await target.gates.reached(said)
            k.equal(
                f"runs under way after the connection was closed, ASGI {style}", target.gates.waiting(said), 1
            )
            target.gates.release_all()
            await h.turn(k.nonce(), user="bob")  # time for the reply to go out
            sent = b"".join(call.body for call in h.env.calls[calls:])
            k.equal(f"replies after the connection was closed, ASGI {style}", sent.count(b"turn 1"), 1)


@rule(
    "HC-CANCEL-011",
    needs=["cancel"],
    why="people stop what goes wrong now, not after everything that waits behind it",
)
async def a_cancel_does_not_queue(k: Kit) -> None:
    """While one turn runs and another waits, the first is cancelled at once, and the second follows.

    Where a command cancels, each of its forms does so.
    """
    commands = k.claim("commands")
    forms = commands.params.get("forms", _FORMS) if commands.runs else ("plain",)
    for form in forms:
        if form != "other_bot":
            await _cancelled_ahead(k, form)


async def _cancelled_ahead(k: Kit, form: Any) -> None:
    """One turn runs, another waits, and a cancellation in this form comes."""
    target = _GatedCounting(runs := k.nonce())
    how = "" if form == "plain" else f", form {form}"
    async with k.host(target, limits=HostLimits()) as h, AsyncExitStack() as stack:
        turn = Turn(text=runs, conversation="c", stream=k.claim("streaming").runs)
        first = await stack.enter_async_context(h.open(h.inbound(turn)))
        await target.gates.reached(runs)
        if turn.stream:
            await first.shows(lambda reply: "turn" in reply.text)
        second = await stack.enter_async_context(h.open(h.inbound(Turn(text=k.nonce(), conversation="c"))))
        follows = await second.shows(lambda reply: "turn 1" in reply.text, within=2.0)
        k.control(not follows, "the second turn waits for the first", observed=len(h.runs))
        await _cancel(h, turn.replace(form=form), await first.reply())
        k.equal(f"runs under way after the cancellation{how}", target.gates.waiting(runs), 0)
        followed = await second.shows(lambda reply: "turn 1" in reply.text)
        observed = (await second.reply()).text
        name = f"the second turn follows, from before the first{how}"
        k.check(name, followed, expected="turn 1", observed=observed)


async def _cancel(h: HostedChannel, turn: Turn, reply: Reply) -> None:
    await h.wire(ask_driver(lambda: h.driver.cancel(turn, reply), "cancel(turn, reply)"))


def _told_and_over(reply: Reply, before: set[str]) -> bool:
    """A failure is told as the protocol's error, or on a platform as a text that was not there before."""
    return reply.wire.complete and bool(reply.errors or set(reply.texts) - before)
