"""HC-CAP: the driver and its claims are honest. These rules guard all others against being green in vain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from hosting import ChannelPush, ChannelRequest

from ...drivers.capabilities import PROFILES
from ...drivers.wire import Wire
from ...targets.counting import Counting
from ...targets.echo import Echo
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule


@rule("HC-CAP-001", why="a driver that does not read the wire makes every other rule green in vain")
async def nonces_travel_both_ways(k: Kit) -> None:
    """What is said arrives; what is answered is read off the wire, and nowhere else."""
    said, answered, swapped = k.nonce(), k.nonce(), k.nonce()
    async with k.host(Scripted(answered)) as h:
        reply = await h.turn(said)
        heard = [run.text for run in h.runs]
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


def _replayed(wire: Wire, answered: str, swapped: str) -> Wire:
    """The same wire with another answer of the same length: a decoder cannot have known it."""
    old, new = answered.encode(), swapped.encode()
    calls = tuple(replace(call, body=call.body.replace(old, new)) for call in wire.calls)
    return replace(wire, body=wire.body.replace(old, new), calls=calls)


@rule("HC-CAP-003", why="an app author relies on what a channel declares")
async def declared_is_proven(k: Kit) -> None:
    """Every declared capability works once, and the profile's are all declared."""
    driver = k.driver()
    missing = [name for name in PROFILES[driver.profile] if driver.capabilities[name].absent]
    k.equal(f"capabilities that profile {driver.profile!r} requires and the driver denies", missing, [])
    for name, claim in driver.capabilities.items():
        if claim.state == "supported":
            k.check(
                f"declared {name} works",
                await _PROBES[name](k),
                expected="once, with a nonce",
                observed="not",
            )


async def _http(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        return said in reply.text and any(c.routes or c.root_routes for c in h.contributions)


async def _streaming(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        return (said := k.nonce()) in (await h.turn(said, stream=True)).text


async def _hooks(k: Kit) -> bool:
    hooked = k.nonce()

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        return request.replace(input=hooked)

    async with k.host(Echo(), options={"run_hook": run_hook}) as h:
        return hooked in (await h.turn(k.nonce())).text


async def _sessions(k: Kit) -> bool:
    async with k.host(Counting()) as h:
        await h.turn(said := k.nonce())
        return said in (await h.turn(Counting.RECALL)).text


async def _reset(k: Kit) -> bool:
    async with k.host(Counting()) as h:
        await h.turn(said := k.nonce())
        await h.turn(reset=True)
        return said not in (await h.turn(Counting.RECALL)).text


async def _auth(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        await h.turn(k.nonce(), credential="missing")
        refused = not h.runs
        return refused and (said := k.nonce()) in (await h.turn(said)).text


async def _events(k: Kit) -> bool:
    return bool(k.driver().non_turns())


async def _delivery_ids(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        return (said := k.nonce()) in (await h.turn(said, delivery_id=k.nonce())).text


async def _push(k: Kit) -> bool:
    return isinstance(k.build(k.driver()), ChannelPush)


async def _text_limit(k: Kit) -> bool:
    params = k.claim("text_limit").params
    return isinstance(params.get("limit"), int) and params.get("unit") in ("utf16", "codepoints", "utf8")


_PROBES: Mapping[str, Callable[[Kit], Awaitable[bool]]] = {
    "http": _http,
    "streaming": _streaming,
    "hooks": _hooks,
    "sessions": _sessions,
    "reset": _reset,
    "auth": _auth,
    "events": _events,
    "delivery_ids": _delivery_ids,
    "push": _push,
    "text_limit": _text_limit,
}
