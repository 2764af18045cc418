"""HC-CAP: claims with numbers, and channels that are made twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hosting import HostLimits
from hosting.messaging import utf16_length

from ...drivers.turn import Turn
from ...targets.counting import Counting
from ...targets.echo import Echo
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule

_MEASURES: Mapping[str, Callable[[str], int]] = {
    "utf16": utf16_length,
    "codepoints": len,
    "utf8": lambda text: len(text.encode()),
}

_LARGE = 2**20 + 2**19
"""Bytes of a body: more than channels take by default."""


@rule("HC-CAP-004", why="a limit that is off by one loses the last character, or the whole message")
async def limits_are_true(k: Kit) -> None:
    """What is exactly as long as a limit goes through whole; one more takes the way of what is too long."""
    if k.claim("text_limit").runs:
        await _text_limit(k)
    if k.claim("input_limit").runs:
        await _input_limit(k)
    await _body_limit(k)
    if not k.claim("input_limit").runs:
        await _raised_body_limit(k)


async def _text_limit(k: Kit) -> None:
    limit: int = k.claim("text_limit").params["limit"]
    measure = _MEASURES[k.claim("text_limit").params["unit"]]
    for length, messages in ((limit, 1), (limit + 1, 2)):
        said = _of_length(k, length)
        async with k.host(Scripted(said)) as h:
            reply = await h.turn()
        k.equal(f"messages for an answer of {length}, the limit being {limit}", len(reply.texts), messages)
        k.equal(f"the answer of {length}, joined", "".join(reply.text.split()), said)
        k.equal(f"messages of {length} above the limit", [t for t in reply.texts if measure(t) > limit], [])


async def _input_limit(k: Kit) -> None:
    limit: int = k.claim("input_limit").params["limit"]
    for length, expected in ((limit, 1), (limit + 1, 0)):
        async with k.host(Echo()) as h:
            said = _of_length(k, length)
            reply = await h.turn(said)
            whole = sum(run.text == said for run in h.runs)
            k.equal(f"runs of an input of {length}, the limit being {limit}", whole, expected)
            if not expected:
                told = 400 <= reply.status < 500 or bool(reply.text)
                k.check(
                    f"an input of {length} is refused", told, expected="a word of it", observed=reply.status
                )


async def _body_limit(k: Kit) -> None:
    for extra, expected in ((0, 1), (1, 0)):
        length = len(k.driver().inbound(Turn(text=k.nonce())).body) - extra
        async with k.host(Echo(), limits=HostLimits(max_body_bytes=max(length, 1))) as h:
            inbound = h.inbound(Turn(text=(said := k.nonce())))
            if inbound.to != "channel" or inbound.method != "POST":
                return
            wire = await h.wire(inbound)
            runs = sum(run.text == said for run in h.runs)
            k.equal(f"runs of a body {extra} above max_body_bytes", runs, expected)
            refused = 400 <= wire.status < 500
            k.equal(f"a body {extra} above max_body_bytes is refused", refused, not expected)


async def _raised_body_limit(k: Kit) -> None:
    """An operator who allows more means it."""
    async with k.host(Scripted("ok"), limits=HostLimits(max_body_bytes=2 * _LARGE)) as h:
        inbound = h.inbound(Turn(text=(said := _of_length(k, _LARGE))))
        if inbound.to != "channel" or inbound.method != "POST":
            return
        await h.wire(inbound)
        runs = sum(run.text == said for run in h.runs)
        k.equal(f"runs of a body of {_LARGE} bytes where twice as many are allowed", runs, 1)


def _of_length(k: Kit, length: int) -> str:
    """A text of one word that nobody can guess; each character counts as one in every unit."""
    return (k.nonce() * length)[:length]


@rule("HC-CAP-005", why="two apps, or two tests, in one process must not hear each other")
async def instances_share_nothing(k: Kit) -> None:
    """Of two channels in two hosts, neither knows the other's deliveries or conversations."""
    delivery, conversation = k.nonce(), k.nonce()
    async with k.host(Counting()) as one, k.host(Counting()) as other:
        reply = await one.turn(secret := k.nonce(), delivery_id=delivery, conversation=conversation)
        k.control("turn 1" in reply.text, "the first channel answers", observed=reply.text)
        again = await other.turn(said := k.nonce(), delivery_id=delivery, conversation=conversation)
        heard = [run.text for run in other.runs]
        k.equal("runs of a delivery id of the other channel", heard, [said])
        k.check("the second channel's answer", "turn 1" in again.text, expected="turn 1", observed=again.text)
        recalled = await other.turn(Counting.RECALL, conversation=conversation)
        k.check("the other's words", secret not in recalled.text, expected="none", observed=recalled.text)
        k.equal("runs of the first channel", len(one.runs), 1)
