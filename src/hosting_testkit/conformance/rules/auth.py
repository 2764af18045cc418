"""HC-AUTH: who is let in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ...transports.asgi import BridgeOptions
from ..hosted import HostedChannel
from ..kit import Kit
from ..model import Unproven
from ..registry import rule

STRANGER = ("203.0.113.7", 40_000)
"""The address of somebody who is not on this machine."""

_GUESSES = 24
_ALWAYS = {"missing", "wrong"}
_MANGLED: Mapping[str, Callable[[str], str]] = {
    "is empty": lambda value: "",
    "has a letter that is not ASCII": lambda value: value + "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "has a digit that is not ASCII": lambda value: value[:-1] + "\N{SUPERSCRIPT TWO}",
    "is a digit that is not ASCII": lambda value: "\N{SUPERSCRIPT TWO}",
    "is ten thousand characters long": lambda value: (value + "0" * 10_000)[:10_000],
}


@rule("HC-AUTH-001", needs=["auth"], why="an open webhook lets anybody speak as anybody")
async def bad_credentials_are_refused(k: Kit) -> None:
    """Each forged credential is refused and nothing runs; the valid one is let in."""
    async with k.host(Echo()) as h:
        if missing := _ALWAYS - set(h.driver.bad_credentials):
            raise Unproven(f"the driver's bad_credentials lack {sorted(missing)}")
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "the valid credential is let in", observed=reply.status)
        for credential in h.driver.bad_credentials:
            before = len(h.runs)
            wire = await h.wire(h.inbound(Turn(text=k.nonce(), credential=credential)))
            refused = wire.status in (401, 403)
            k.check(f"a {credential} credential", refused, expected="401 or 403", observed=wire.status)
            k.equal(f"runs with a {credential} credential", len(h.runs) - before, 0)
        await _mangled(k, h)
        if k.claim("http").runs:
            await _guessed(k, h)


async def _guessed(k: Kit, h: HostedChannel) -> None:
    """Somebody who guesses, from elsewhere, locks nobody out but himself."""
    elsewhere = BridgeOptions(client=STRANGER, raise_app_errors=False)
    for _ in range(_GUESSES):
        await h.wire(h.inbound(Turn(text=k.nonce(), credential="wrong")), bridge=elsewhere)
    reply = await h.turn(said := k.nonce())
    name = f"the valid credential is let in after {_GUESSES} wrong ones from elsewhere"
    k.check(name, said in reply.text, expected=said, observed=reply.text or reply.status)


async def _mangled(k: Kit, h: HostedChannel) -> None:
    """Each header that a credential is made of holds something else: that is the sender's mistake, and nobody else's."""
    whole = h.inbound(Turn(text=k.nonce()))
    without = h.inbound(Turn(text=k.nonce(), credential="missing"))
    for name in sorted(whole.headers.keys() - without.headers.keys()):
        for what, value in _MANGLED.items():
            before = len(h.runs)
            sent = h.inbound(Turn(text=k.nonce()))
            wire = await h.wire(replace(sent, headers={**sent.headers, name: value(sent.headers[name])}))
            refused = 400 <= wire.status < 500 and len(h.runs) == before
            k.check(f"{name} that {what}", refused, expected="4xx, no run", observed=wire.status)
