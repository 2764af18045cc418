"""HC-AUTH: what happens before somebody is known, and what a refusal tells."""

from __future__ import annotations

from dataclasses import replace

from hosting import ChannelRequest

from ...drivers.turn import Inbound, Turn
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..refusals import Refusal
from ..registry import rule
from ..watched_store import WatchedStore

_POISON = b'{"not": JSON'
_OF_A_CREDENTIAL = ("missing", "wrong_scheme")


@rule("HC-AUTH-005", needs=["auth"], why="whatever runs before the check runs for strangers too")
async def authentication_comes_first(k: Kit) -> None:
    """A refused request is not parsed, claims nothing, calls no hook, writes nothing and runs nothing."""
    hooked: list[ChannelRequest] = []

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        hooked.append(request)
        return request

    options = {"run_hook": run_hook} if k.claim("hooks").runs else {}
    async with k.host(Echo(), options=options, state=WatchedStore(k.log)) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "the valid credential is let in", observed=reply.status)
        k.control(k.log.count("store") > 0 and bool(hooked) == bool(options), "what it does is seen")
        for credential in h.driver.bad_credentials:
            hooked.clear()
            runs, writes = len(h.runs), k.log.count("store")
            refused = h.inbound(Turn(text=k.nonce(), credential=credential, delivery_id=k.nonce()))
            wire = await h.wire(refused)
            k.check(f"{credential}: refused", wire.status in (401, 403), expected="401", observed=wire.status)
            poisoned = await h.wire(replace(refused, body=_POISON))
            k.equal(f"{credential}: status of a broken body", poisoned.status, wire.status)
            k.equal(f"{credential}: calls of the run hook", len(hooked), 0)
            k.equal(f"{credential}: writes to the store", k.log.count("store") - writes, 0)
            k.equal(f"{credential}: runs", len(h.runs) - runs, 0)
        await _still_open(k, h)


async def _still_open(k: Kit, h: HostedChannel) -> None:
    """A delivery id that came with a bad credential is not used up."""
    turn = Turn(text=(said := k.nonce()), delivery_id=k.nonce())
    await h.wire(h.inbound(turn.replace(credential="wrong")))
    outs = await h.decode(await h.wire(h.inbound(turn)))
    answered = any(said in str(out) for out in outs)
    k.check("an event after a forged copy of it is answered", answered, expected=said, observed=outs)


@rule("HC-AUTH-008", needs=["auth"], why="who can tell refusals apart can guess credentials piece by piece")
async def refusals_look_the_same(k: Kit) -> None:
    """Status, headers and body say nothing of why a credential is refused."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "the valid credential is let in", observed=reply.status)
        refused = await _refusals(k, h)
        if len(refused) < 2:
            raise Unproven(
                "the driver forges one credential only; give bad_credentials, dated or tampered more"
            )
        usual = refused["wrong"]
        k.check("a wrong credential is refused", usual.status in (401, 403), observed=usual.status)
        for name, refusal in refused.items():
            k.equal(f"{name}: status", refusal.status, usual.status)
            k.equal(f"{name}: body", refusal.body, usual.body)
            k.equal(f"{name}: headers", refusal.headers, usual.headers)


async def _refusals(k: Kit, h: HostedChannel) -> dict[str, Refusal]:
    """How each forgery is refused; a request without any credential may be told that it needs one."""
    turn = Turn(text=k.nonce())
    forged = {
        name: h.inbound(turn.replace(credential=name))
        for name in h.driver.bad_credentials
        if name not in _OF_A_CREDENTIAL
    }
    forged |= _timed(k, h, turn)
    return {name: Refusal.of(await h.wire(inbound)) for name, inbound in forged.items()}


def _timed(k: Kit, h: HostedChannel, turn: Turn) -> dict[str, Inbound]:
    capabilities, driver = h.driver.capabilities, h.driver
    found: dict[str, Inbound] = {}
    if capabilities.has("signature"):
        tampered = ask_driver(lambda: driver.tampered(turn), "tampered(turn)")
        found |= {f"a changed {name}": inbound for name, inbound in tampered.items()}
    if capabilities.has("signature.tolerance") or capabilities.has("jwt"):
        found["an expired one"] = ask_driver(lambda: driver.dated(turn, -86_400.0), "dated(turn, -86400)")
    if capabilities.has("jwt"):
        found |= ask_driver(lambda: driver.forged(turn), "forged(turn)")
    return found
