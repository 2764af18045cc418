"""HC-CAP: the driver and its claims are honest. These rules guard all others against being green in vain."""

from __future__ import annotations

from dataclasses import replace

from ...drivers.capabilities import PROFILES
from ...drivers.turn import Turn
from ...drivers.wire import Reply, Wire
from ...targets.echo import Echo
from ...targets.scripted import Scripted
from ..events import Event
from ..hosted import HostedChannel
from ..kit import Kit
from ..model import Failed, RuleStopped, Unproven
from ..probes import PROBES, UNASKED
from ..registry import rule, written_rules

_AT_ONCE = 5.0
"""Virtual seconds in which a target that answers at once is heard."""


@rule("HC-CAP-001", why="a driver that does not read the wire makes every other rule green in vain")
async def nonces_travel_both_ways(k: Kit) -> None:
    """What is said arrives; what is answered is read off the wire, and nowhere else."""
    said, answered, swapped = k.nonce(), k.nonce(), k.nonce()
    async with k.host(Scripted(answered)) as h:
        reply, at_once = await _answered(h, said, answered)
        heard = [run.text for run in h.runs]
        k.check("the answer comes at once", at_once, expected=f"within {_AT_ONCE:g} s", observed="later")
        k.check("the input at the target", said in heard, expected=said, observed=heard)
        k.check("the answer on the wire", answered in reply.text, expected=answered, observed=reply.text)
        replayed = _replayed(reply.wire, answered, swapped)
        if replayed != reply.wire:
            texts = [
                text
                for out in await h.decode(replayed)
                if isinstance(text := getattr(out, "text", None), str)
            ]
            k.check(
                "the decoder reads a replayed wire",
                swapped in "".join(texts),
                expected=swapped,
                observed=texts,
            )


async def _answered(h: HostedChannel, said: str, answered: str) -> tuple[Reply, bool]:
    """The answer to a text, and whether it came before anything could have run into a time limit."""
    async with h.open(h.inbound(Turn(text=said))) as opened:
        at_once = await opened.shows(lambda reply: answered in reply.text, within=_AT_ONCE)
        await opened.finished()
        await h.settled()
        return await opened.reply(), at_once


def _replayed(wire: Wire, answered: str, swapped: str) -> Wire:
    """The same wire with another answer of the same length: a decoder cannot have known it."""
    old, new = answered.encode(), swapped.encode()
    calls = tuple(replace(call, body=call.body.replace(old, new)) for call in wire.calls)
    frames = tuple(
        frame.replace(answered, swapped) if isinstance(frame, str) else frame.replace(old, new)
        for frame in wire.frames
    )
    return replace(wire, body=wire.body.replace(old, new), calls=calls, frames=frames)


@rule(
    "HC-CAP-002",
    why="what is not supported must be said so; what hangs or breaks takes other people down with it",
)
async def absent_is_refused(k: Kit) -> None:
    """What the driver denies is tried: it ends in time, without a server error, and does not work after all."""
    denied = [name for name in UNASKED if k.claim(name).absent]
    for name in denied:
        mark, works, hung = len(k.log.events), False, ""
        try:
            works = await PROBES[name](k)
        except Failed as failure:
            hung = str(failure)
        except Unproven:  # the driver or the channel has no way to ask for it
            continue
        k.check(f"{name}, which is not declared, is refused", not hung, expected="an end", observed=hung)
        k.check(f"{name} is not declared", not works, expected="not to work", observed="it works")
        broken = [event.detail for event in k.log.events[mark:] if _is_server_error(event)]
        k.equal(f"server errors when asked for {name}", broken, [])
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.check("an ordinary turn works all the same", said in reply.text, expected=said, observed=reply.text)


def _is_server_error(event: Event) -> bool:
    return event.kind == "app.error" or (event.kind == "wire.out" and event.detail.startswith("5"))


@rule("HC-CAP-003", why="an app author relies on what a channel declares")
async def declared_is_proven(k: Kit) -> None:
    """Every declared capability works once, and the profile's are all declared."""
    driver = k.driver()
    missing = [name for name in PROFILES[driver.profile] if driver.capabilities[name].absent]
    k.equal(f"capabilities that profile {driver.profile!r} requires and the driver denies", missing, [])
    for name, claim in driver.capabilities.items():
        if claim.state == "supported":
            works = await PROBES[name](k) if name in PROBES else await _is_exercised(k, name)
            k.check(f"declared {name} works", works, expected="once, with a nonce", observed="not")


async def _is_exercised(k: Kit, capability: str) -> bool:
    """Whether a rule that needs the capability gets as far as to see something good of it.

    What no rule needs cannot be shown either way, and nobody relies on it.
    """
    capabilities = k.driver().capabilities
    about = [
        found
        for found in written_rules().values()
        if capability in found.needs and not any(capabilities[need].absent for need in found.needs)
    ]
    for found in about:
        inner = k.another()
        try:
            await found.body(inner)
        except RuleStopped:
            continue
        finally:
            await inner.aclose()
        if any(check.ok and not check.control for check in inner.checks):
            return True
    return not about
