"""HC-LIFE: how turns end when the host stops."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from hosting import HostLimits

from ...drivers.turn import Inbound, Turn
from ...drivers.wire import Reply
from ...targets.gate import Gate
from ...targets.scripted import Scripted
from ...targets.steps import Stop
from ..hosted import HostedChannel
from ..kit import Kit
from ..model import Failed
from ..registry import rule
from ..replies import OpenReply

_DRAIN = 3.0
_CLEAN_UP = 5.0
_POINT = "middle"


@rule("HC-LIFE-004", why="a deployment waits for the old process, and its clients wait for an answer")
async def shutdown_ends_runs(k: Kit) -> None:
    """A run that never ends is cut off after the drain; whoever waits for its answer is told why."""
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        how = "streamed" if stream else "one-shot"
        gate = Gate()
        async with k.host(gate, limits=HostLimits(drain_timeout=_DRAIN)) as h:
            inbound = h.inbound(Turn(text=(said := k.nonce()), stream=stream))
            async with h.open(inbound) as opened:
                await _reached(gate, said)
                waits = not await opened.shows(lambda reply: reply.wire.complete, within=1.0)
                seconds = await _shutdown(h)
                longest = _DRAIN + _CLEAN_UP
                k.check(
                    f"{how}: seconds of the shutdown",
                    seconds <= longest,
                    expected=f"<= {longest}",
                    observed=seconds,
                )
                inside = gate.waiting(said)
                k.control(not inside, f"{how}: the run is cut off", observed=inside)
                if waits and inbound.to == "channel":
                    _look_at_end(k, how, await opened.reply())


def _look_at_end(k: Kit, how: str, reply: Reply) -> None:
    codes = [error.code for error in reply.errors]
    k.check(
        f"{how}: the answer has ended", reply.wire.complete, expected="complete", observed="open or broken"
    )
    k.check(
        f"{how}: the code of the failure", "shutting_down" in codes, expected="shutting_down", observed=codes
    )


async def _shutdown(h: HostedChannel) -> float:
    """Virtual seconds of the shutdown.

    Raises:
        Failed: It does not end.
    """
    clock = asyncio.get_running_loop()
    began = clock.time()
    stopping = asyncio.create_task(h.shutdown(), name="conformance shutdown")
    _, pending = await asyncio.wait((stopping,), timeout=_DRAIN + 60.0)
    if pending:
        stopping.cancel()
        raise Failed(f"the shutdown did not end in {_DRAIN + 60.0:g} virtual seconds")
    await stopping
    return clock.time() - began


async def _reached(gate: Gate | Scripted, point: str) -> None:
    try:
        await gate.gates.reached(point)
    except AssertionError as error:
        raise Failed(f"the turn does not reach the target: {error}") from error


@rule("HC-LIFE-011", needs=["http"], why="what comes while a process stops must be answered by another one")
async def draining_takes_nothing_new(k: Kit) -> None:
    """New turns get 503 with `Retry-After` and are taken after a restart; an open one goes on to its end."""
    target = Scripted("first ", Stop(_POINT), last := k.nonce())
    async with k.host(target) as h, AsyncExitStack() as stack:
        inbound = h.inbound(Turn(text=k.nonce(), user="ann", stream=k.claim("streaming").runs))
        opened = await stack.enter_async_context(h.open(inbound))
        await _reached(target, _POINT)
        h.begin_drain()
        late = h.inbound(Turn(text=(said := k.nonce()), user="bob", conversation=k.nonce()))
        if late.to == "channel" and late.method != "WEBSOCKET":
            await _is_turned_away(k, h, late)
        k.control(said not in [run.text for run in h.runs], "the new turn does not run while the host drains")
        target.gates.release(_POINT)
        await _goes_on(k, opened, last)
        await h.restart()
        await h.wire(late)
        k.check(
            "a new turn after a restart",
            said in [run.text for run in h.runs],
            expected="a run",
            observed="none",
        )


async def _is_turned_away(k: Kit, h: HostedChannel, late: Inbound) -> None:
    wire = await h.wire(late)
    k.equal("status of a new turn while the host drains", wire.status, 503)
    after = wire.headers.get("retry-after", "")
    k.check("Retry-After while the host drains", after.isdigit(), expected="seconds", observed=after)


async def _goes_on(k: Kit, opened: OpenReply, last: str) -> None:
    whole = await opened.shows(lambda reply: last in reply.text and reply.wire.complete)
    reply = await opened.reply()
    k.check("the open turn goes on to its end", whole, expected=last, observed=reply.text)
