"""HC-CONT: runs whose host stops, or dies, or is not the one that is asked (contract 12.2, 12.3, 4.5)."""

from __future__ import annotations

from contextlib import AsyncExitStack

from ...targets import steps
from ...targets.gate import Gate
from ...targets.scripted import Scripted
from ..kit import Kit
from ..later import ENDS, ask_for_later, begins, standing_of
from ..registry import rule
from ..shared_rows import replica_of, two_lines

_LEASE_IS_OVER = 30.0
"""Virtual seconds after which a host that cannot be heard is known to be gone."""


@rule(
    "HC-CONT-005",
    needs=["background"],
    why="behind a load balancer every question reaches another process, and processes are replaced",
)
async def tokens_outlive_hosts(k: Kit) -> None:
    """After a restart the result is there; on another host a run is polled, read and cancelled as at home."""
    target, text = Gate(), k.nonce()
    async with k.host(target) as h:
        target.release(text)
        run = await ask_for_later(h, text)
        k.control(standing_of(h, await run.ended()) == "completed", "a run ends")
        await h.restart()
        reply = await run.poll()
        k.check("the result after a restart", text in reply.text, expected=text, observed=reply.outs)
    await _elsewhere(k)


async def _elsewhere(k: Kit) -> None:
    target, texts = Gate(), (k.nonce(), k.nonce())
    async with two_lines() as (one, other), AsyncExitStack() as stack:
        home = await stack.enter_async_context(k.host(target, state=one))
        runs = [await ask_for_later(home, text, conversation=text) for text in texts]
        begun = all([await begins(target.gates, text) for text in texts])
        k.control(begun, "the runs begin")
        away = await stack.enter_async_context(k.host(target, state=other, make=replica_of(home)))
        standing = [await run.at(away).standing() for run in runs]
        k.equal("runs of another host, as they are polled here", standing, ["running"] * 2)
        await runs[1].at(away).withdraw()
        cancelled = standing_of(home, await runs[1].ended())
        k.equal("the end of a run that was cancelled from another host", cancelled, "cancelled")
        target.release(texts[0])
        reply = await runs[0].at(away).ended()
        k.check("the result on another host", texts[0] in reply.text, expected=texts[0], observed=reply.outs)
        if k.claim("resume").runs:
            read = await runs[0].at(away).events()
            k.check(
                "the events on another host", texts[0] in read.text, expected=texts[0], observed=read.outs
            )


@rule(
    "HC-CONT-006",
    needs=["background"],
    why="a run that stays 'running' for ever is polled for ever, and nobody learns that it is lost",
)
async def no_run_is_stuck(k: Kit) -> None:
    """Cut off by a restart, or by the death of its host, seen or unseen: it goes on, or ends as failed."""
    target, text = Gate(), k.nonce()
    async with k.host(target) as h:
        run = await ask_for_later(h, text)
        k.control(await begins(target.gates, text), "the run begins")
        k.control(await run.standing() == "running", "it is told to run")
        await h.restart()
        target.release(text)
        end = standing_of(h, await run.ended())
        k.check("the end of a run that a restart cut off", end in ENDS, expected="an end", observed=end)
    await _its_host_dies(k)
    if k.claim("resume").runs:
        await _its_host_dies_before_a_reader(k)


async def _its_host_dies(k: Kit) -> None:
    target, text = Gate(), k.nonce()
    async with two_lines() as (one, other), AsyncExitStack() as stack:
        home = await stack.enter_async_context(k.host(target, state=one))
        run = await ask_for_later(home, text)
        k.control(await begins(target.gates, text), "the run begins")
        away = await stack.enter_async_context(k.host(target, state=other, make=replica_of(home)))
        with one.broken():
            await away.rest(_LEASE_IS_OVER)
            target.release(text)
            end = standing_of(away, await run.at(away).ended())
        k.check("the end of a run whose host died", end in ENDS, expected="an end", observed=end)


async def _its_host_dies_before_a_reader(k: Kit) -> None:
    half, text = k.nonce(), k.nonce()
    target = Scripted(half, steps.Stop("middle"), text)
    async with two_lines() as (one, other), AsyncExitStack() as stack:
        home = await stack.enter_async_context(k.host(target, state=one))
        run = await ask_for_later(home, k.nonce())
        k.control(await begins(target.gates, "middle"), "the run begins")
        away = await stack.enter_async_context(k.host(target, state=other, make=replica_of(home)))
        async with run.at(away).reading() as reader:
            read = await reader.shows(lambda reply: half in reply.text)
            k.control(read, "the events are read on another host")
            with one.broken():
                await away.rest(_LEASE_IS_OVER)
                target.gates.release("middle")
                over = await reader.shows(lambda reply: reply.wire.complete and bool(reply.terminals))
                outs = (await reader.reply()).outs
            k.check(
                "what the reader of a run is told whose host died", over, expected="an end", observed=outs
            )
