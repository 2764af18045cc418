"""HC-AUTH: signatures and tokens, and their times."""

from __future__ import annotations

from dataclasses import replace

from ...drivers.turn import Inbound, Turn
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule

_SKEW = 1.0
_BEYOND = 60.0
_FORGERIES = {"issuer", "audience", "unsigned", "algorithm", "key"}


@rule(
    "HC-AUTH-002",
    needs=["signature"],
    why="a signature over anything but the bytes can be carried to other bytes",
)
async def the_signature_covers_the_bytes(k: Kit) -> None:
    """Whoever changes the body, the time or a signed header of a signed request is refused."""
    async with k.host(Echo()) as h:
        await _let_in(k, h, "the request as it was signed", h.inbound(Turn(text=k.nonce())), control=True)
        turn = Turn(text=k.nonce())
        whole = h.inbound(turn)
        changed = {
            "a blank behind the body": replace(whole, body=whole.body + b" "),
            "another text": replace(whole, body=whole.body.replace(turn.text.encode(), k.nonce().encode())),
            "the signature of another body": replace(h.inbound(Turn(text=k.nonce())), body=whole.body),
        }
        tampered = ask_driver(lambda: h.driver.tampered(turn), "tampered(turn)")
        if h.driver.capabilities.has("signature.tolerance") and "time" not in tampered:
            raise Unproven("the signature covers a time, and tampered() has no 'time'")
        changed |= {f"another {name}": inbound for name, inbound in tampered.items()}
        for name, inbound in changed.items():
            await _refused(k, h, name, inbound)
        await _other_keys(k, h)


async def _other_keys(k: Kit, h: HostedChannel) -> None:
    """What is signed with no key is signed by anybody: the place of an old one may be empty."""
    secrets = h.driver.env.secrets
    own = dict(secrets)
    signed: list[Inbound] = []
    for key in (k.nonce(), ""):
        secrets.update(dict.fromkeys(own, key))
        signed.append(h.inbound(Turn(text=k.nonce())))
        secrets.update(own)
    before = len(h.runs)
    await h.wire(signed[0])
    if len(h.runs) == before:  # else the driver keeps its key, and signs with no other
        await _refused(k, h, "a body that is signed with an empty key", signed[1])


@rule(
    "HC-AUTH-003",
    needs=["auth"],
    any_of=["signature.tolerance", "jwt.leeway"],
    why="an old credential that still works is one that was stolen; clocks differ by seconds",
)
async def times_are_checked_with_tolerance(k: Kit) -> None:
    """Too old and too new is refused; a skew inside the tolerance is let in."""
    signed = k.claim("signature").params.get("tolerance")
    tolerance = float(k.claim("jwt").params["leeway"] if signed is None else signed)
    async with k.host(Echo()) as h:
        await _let_in(k, h, "a credential of now", _dated(k, h, 0.0), control=True)
        for seconds in (-_SKEW, _SKEW, -tolerance / 2, tolerance / 2):
            await _let_in(k, h, f"a credential {seconds:+g} s from now", _dated(k, h, seconds))
        for seconds in (-tolerance - _BEYOND, tolerance + _BEYOND, -86_400.0, 86_400.0):
            if (
                signed is not None or seconds > 0 or seconds == -86_400.0
            ):  # a token lives longer than its leeway
                await _refused(k, h, f"a credential {seconds:+g} s from now", _dated(k, h, seconds))


@rule("HC-AUTH-004", needs=["jwt"], why="a token for somebody else's service must not open this one")
async def forged_tokens_are_refused(k: Kit) -> None:
    """Each way in which a token can be another's is refused, one at a time."""
    async with k.host(Echo()) as h:
        await _let_in(k, h, "a valid token", h.inbound(Turn(text=k.nonce())), control=True)
        forged = ask_driver(lambda: h.driver.forged(Turn(text=k.nonce())), "forged(turn)")
        if missing := _FORGERIES - forged.keys():
            raise Unproven(f"the driver's forged() lacks {sorted(missing)}")
        for name, inbound in forged.items():
            await _refused(k, h, f"wrong {name}", inbound)


def _dated(k: Kit, h: HostedChannel, seconds: float) -> Inbound:
    return ask_driver(lambda: h.driver.dated(Turn(text=k.nonce()), seconds), f"dated(turn, {seconds:g})")


async def _let_in(k: Kit, h: HostedChannel, name: str, inbound: Inbound, *, control: bool = False) -> None:
    before = len(h.runs)
    wire = await h.wire(inbound)
    let_in = wire.status < 300 and len(h.runs) == before + 1
    if control:
        k.control(let_in, f"{name} is let in", observed=wire.status)
    else:
        k.check(f"{name} is let in", let_in, expected="a run", observed=wire.status)


async def _refused(k: Kit, h: HostedChannel, name: str, inbound: Inbound) -> None:
    before = len(h.runs)
    wire = await h.wire(inbound)
    refused = wire.status in (401, 403) and len(h.runs) == before
    seen = f"{wire.status}, {len(h.runs) - before} runs"
    k.check(f"{name} is refused", refused, expected="401 or 403, no run", observed=seen)
