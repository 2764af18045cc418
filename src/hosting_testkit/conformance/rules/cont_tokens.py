"""HC-CONT: whose tokens are good, and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from hosting import HostLimits

from ...drivers.wire import Reply
from ...targets.gate import Gate
from ..kit import Kit
from ..later import LaterRun, ask_for_later, begins, standing_of
from ..leap import leap
from ..refusals import Refusal
from ..registry import rule

_Ask = Callable[[LaterRun], Awaitable[Reply]]

_PAIRS = (
    "01 23 45 67 89 ab cd ef gh jk mn pq rs tv wx yz"  # without the letters that some alphabets leave out
)
_NEIGHBOURS = {
    ord(one): other for pair in (_PAIRS + " " + _PAIRS.upper()).split() for one, other in (pair, pair[::-1])
}

_DAY = 86_400.0
_SHORT = 600.0


@rule(
    "HC-CONT-003",
    needs=["background", "auth"],
    why="an answer that says 'not yours' tells who else asked, and that the token is worth stealing",
)
async def tokens_of_others_look_unknown(k: Kit) -> None:
    """Polled, cancelled or read: what is somebody else's, expired or made up is refused in the same words."""
    target, text = Gate(), k.nonce()
    async with k.host(target, limits=HostLimits(background_ttl=_SHORT)) as h:
        target.release(old := k.nonce())
        expired = await ask_for_later(h, old, user="ann")
        k.control(standing_of(h, await expired.ended()) == "completed", "a run ends")
        await leap(_kept(k, _SHORT) * 1.1)
        run = await ask_for_later(h, text, user="ann")
        k.control(await begins(target.gates, text), "another run begins")
        k.control(await run.standing() == "running", "its owner may ask for it")
        for how, ask in _asked(k).items():
            unknown = await _refused(ask, run.called(_other(run.token)))
            refused = 400 <= unknown.status < 500
            k.check(f"{how}: an unknown token", refused, expected="4xx", observed=unknown.status)
            foreign = await _refused(ask, run.by("bob"))
            k.equal(f"{how}: somebody else's token beside an unknown one", foreign, unknown)
            late = await _refused(ask, expired)
            k.equal(f"{how}: an expired token beside an unknown one", late, unknown)
        k.equal("runs under way after a stranger's cancellation", target.waiting(text), 1)
        target.release(text)


async def _refused(ask: _Ask, run: LaterRun) -> Refusal:
    """What is answered, without the token that was asked for."""
    wire = (await ask(run)).wire
    headers = {name: value.replace(run.token, "<id>") for name, value in wire.headers.items()}
    return Refusal.of(replace(wire, headers=headers, body=wire.body.replace(run.token.encode(), b"<id>")))


def _asked(k: Kit) -> Mapping[str, _Ask]:
    ways: dict[str, _Ask] = {"polled": LaterRun.poll, "cancelled": LaterRun.withdraw}
    return {**ways, "read": LaterRun.events} if k.claim("resume").runs else ways


def _other(token: str) -> str:
    """A token of the same form, in whichever alphabet, that was never issued."""
    return token[:-12] + token[-12:].translate(_NEIGHBOURS)


def _kept(k: Kit, limit: float) -> float:
    return float(k.claim("background").params.get("seconds", limit))


@rule(
    "HC-CONT-004",
    needs=["background"],
    why="a client that was away for the night wants its answer; one that comes a year later gets no one else's data",
)
async def results_are_kept_as_long_as_said(k: Kit) -> None:
    """Counted from the end: almost all of the time the result is there, and a little later nothing is."""
    cases = [
        ("by default", HostLimits(), _DAY, 0.0),
        ("as limited", HostLimits(background_ttl=_SHORT), _SHORT, _SHORT / 2),
    ]
    for name, limits, limit, held in cases:
        target, text, keeps = Gate(), k.nonce(), _kept(k, limit)
        async with k.host(target, limits=limits) as h:
            run = await ask_for_later(h, text)
            await h.rest(held)
            target.release(text)
            k.control(standing_of(h, await run.ended()) == "completed", f"{name}: the run ends")
            await leap(keeps * 0.9)
            reply = await run.poll()
            k.check(
                f"{name}: the result before its time is over",
                text in reply.text,
                expected=text,
                observed=reply.outs,
            )
            if k.claim("resume").runs:
                read = await run.events()
                fine = 400 <= read.status < 500 or (text in read.text and bool(read.terminals))
                k.check(f"{name}: its events: whole, or refused", fine, expected=text, observed=read.outs)
            await leap(keeps * 0.2)
            k.equal(f"{name}: what is left of it afterwards", await _left(k, run, text), [])


async def _left(k: Kit, run: LaterRun, text: str) -> list[str]:
    """In which ways the text of a run is still told, or its standing."""
    told = {how: await ask(run) for how, ask in _asked(k).items()}
    return [how for how, reply in told.items() if reply.status < 400 or text.encode() in reply.wire.body]
