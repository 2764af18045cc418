"""HC-STREAM: answers that grow by editing a message."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from ...drivers.base import HookMissing
from ...drivers.trouble import AnswerLate, Trouble
from ...drivers.turn import Turn
from ...drivers.wire import PlatformCall, Text, Wire
from ...targets import steps
from ...targets.scripted import Scripted
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule

_PIECES = 30
_PATIENCE = 60.0
_SLACK = 0.99
_TOLD = 7.0
"""Seconds that the platform asks for."""

_LATE = 5.0
"""Most seconds that the platform's answer is late; clients wait longer."""

_ENDS = (0.2, 0.6, 1.2)
"""When an answer ends after its first words, in intervals; some channels wait a moment before they send these."""


@rule(
    "HC-STREAM-015",
    needs=["streaming", "edits"],
    why="platforms answer a flood of edits with minutes of silence, and then the end is lost",
)
async def edits_keep_to_their_rate(k: Kit) -> None:
    """Two versions of a message are as far apart as declared or told, and the last one always comes, once."""
    interval = _interval(k)
    pieces = [f"{number:x}." for number in range(_PIECES - 1)] + ["end"]
    script = [step for piece in pieces for step in (piece, steps.Sleep(interval / 10))]
    async with k.host(Scripted(*script)) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await opened.shows(lambda reply: reply.text.endswith("end"), within=_PATIENCE)
        observed = (await opened.reply()).text
        k.equal("what is visible in the end", observed, "".join(pieces))
        times = await _versions(k, h)
        k.control(any(len(seen) > 2 for seen in times.values()), "the answer grows by edits", observed=times)
        gaps = [later - sooner for seen in times.values() for sooner, later in pairwise(seen)]
        shortest = min(gaps, default=interval)
        k.check(
            "the time between two versions of a message",
            shortest >= interval * _SLACK,
            expected=f"at least {interval:g} s",
            observed=f"{shortest:.3f} s",
        )
    await _last_edit_after_a_failure(k)
    await _refused_edits_wait(k)
    for end in _ENDS:
        await _ends_during_a_send(k, end)


async def _last_edit_after_a_failure(k: Kit) -> None:
    """The platform is out of reach when the last piece is due, and comes back."""
    first, last = k.nonce()[:8], k.nonce()[:8]
    target = Scripted(first, steps.Stop("last"), last)
    async with k.host(target) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await target.gates.reached("last")
        shown = await opened.shows(lambda reply: first in reply.text, within=_PATIENCE)
        k.control(shown, "the first piece is visible before the last", observed=(await opened.reply()).text)
        h.env.reachable = False
        target.gates.release_all()
        await asyncio.sleep(3 * _interval(k))
        h.env.reachable = True
        whole = await opened.shows(lambda reply: first in reply.text and last in reply.text, within=_PATIENCE)
        observed = (await opened.reply()).text
        k.check("the last piece comes after a failed edit", whole, expected=last, observed=observed)


async def _refused_edits_wait(k: Kit) -> None:
    """While an answer grows the platform refuses three versions of it, and says when the next one may come."""
    first, pause = k.nonce()[:8], steps.Sleep(_interval(k))
    more = [step for number in range(_PIECES) for step in (f" {number:x}", pause)]
    target = Scripted(first, steps.Stop("more"), *more)
    async with k.host(target) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        refusal = _limited(h)
        if refusal is None:
            return
        await target.gates.reached("more")
        shown = await opened.shows(lambda reply: first in reply.text, within=_PATIENCE)
        k.control(shown, "the first piece is visible before the others", observed=(await opened.reply()).text)
        h.env.troubles.plan(first, [refusal] * 3)
        target.gates.release_all()
        await _rest(_PIECES * _interval(k) + 4 * _TOLD)
        tries = h.env.troubles.over(first)
    k.control(len(tries) > 1, "versions of the message are refused with 429", observed=tries)
    early = [round(later - sooner, 3) for sooner, later in pairwise(tries) if later - sooner < _TOLD * _SLACK]
    k.equal("waits after a 429 that were shorter than its retry-after of 7 s", early, [])


def _limited(h: HostedChannel) -> Trouble | None:
    """The refusal of a version that came too soon, from drivers that know it; the others lack it in HC-ERR-010."""
    try:
        return ask_driver(lambda: h.driver.rate_limited(_TOLD), "rate_limited()")
    except Unproven as error:
        if isinstance(error.__cause__, HookMissing):
            return None
        raise


async def _ends_during_a_send(k: Kit, end: float) -> None:
    """The first words are there at once, and the platform says so later; meanwhile the answer ends."""
    interval, first, last = _interval(k), k.nonce()[:8], k.nonce()[:8]
    async with k.host(Scripted(first, steps.Sleep(end * interval), last)) as h:
        h.env.troubles.plan(first, [AnswerLate(min(2 * interval, _LATE))])
        async with h.open(h.inbound(Turn(stream=True))) as opened:
            await opened.shows(lambda reply: last in reply.text, within=_PATIENCE)
            await _rest(4 * interval)
            shown = [text for text in (await opened.reply()).texts if first in text]
    what = f"messages with the first words, sent as the answer ended {end * interval:g} s after them"
    k.equal(what, shown, [first + last])


@rule(
    "HC-STREAM-016",
    needs=["streaming", "edits"],
    why="platforms refuse an edit that changes nothing, and a placeholder without an end looks like a bot that hangs",
)
async def edits_change_something_and_end(k: Kit) -> None:
    """No version repeats the one before it, and nothing that was shown only to wait is left."""
    pause = steps.Sleep(_interval(k) * 1.5)
    silent: list[steps.Step] = [
        steps.Usage(),
        pause,
        steps.ToolCall("tool"),
        pause,
        steps.ToolResult("r"),
        pause,
        "",
    ]
    async with k.host(Scripted("one ", pause, *silent, pause, "two", pause)) as h:
        async with h.open(h.inbound(Turn(stream=True))) as opened:
            shown = await opened.shows(lambda reply: "two" in reply.text, within=_PATIENCE)
            k.control(shown, "the answer is visible", observed=(await opened.reply()).text)
            await _rest(_interval(k) * 3)
        k.equal("edits in vain", await _in_vain(h), [])
    ends: dict[str, list[steps.Step]] = {
        "an empty result": [],
        "a failure": [steps.Fail(RuntimeError("after a while"))],
    }
    for name, end in ends.items():
        await _nothing_is_left(
            k, name, [steps.ToolCall("tool"), pause, steps.ToolResult("r"), steps.Stop("end"), *end]
        )


async def _nothing_is_left(k: Kit, name: str, script: list[steps.Step]) -> None:
    target = Scripted(*script)
    async with k.host(target) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await target.gates.reached("end", timeout=_PATIENCE)
        waiting = (await opened.reply()).texts
        target.gates.release_all()
        await asyncio.sleep(_interval(k) * 10)
        left = (await opened.reply()).texts
    same = sorted(set(waiting) & set(left) - {""})
    k.equal(f"{name}: what was shown while waiting and is still there", same, [])


def _interval(k: Kit) -> float:
    interval = k.claim("edits").params.get("interval")
    if interval is None:
        raise Unproven("the claim `edits` says no interval; say SUPPORTED(interval=SECONDS)")
    return float(interval)


async def _versions(k: Kit, h: HostedChannel) -> dict[object, list[float]]:
    """When each message was shown and edited."""
    times = [event.at for event in k.log.events if event.kind == "platform"]
    found: dict[object, list[float]] = {}
    for at, call in zip(times[-len(h.env.calls) :], h.env.calls, strict=True):
        for out in await _shown(h, call):
            found.setdefault(out.item, []).append(at)
    return found


async def _in_vain(h: HostedChannel) -> list[str]:
    """Edits with the text that the message has already, and what the platform refused, such as those."""
    found = [
        f"{call.path} was refused with {call.status}" for call in h.env.calls if 400 <= call.status < 429
    ]
    current: dict[object, str] = {}
    for call in h.env.calls:
        for out in await _shown(h, call) if call.status < 300 else ():
            if out.item is not None and current.get(out.item) == out.text:
                found.append(f"{call.path} repeated {out.text!r}")
            current[out.item] = out.text
    return found


async def _shown(h: HostedChannel, call: PlatformCall) -> list[Text]:
    outs = await h.decode(Wire(status=200, calls=(call,)))
    return [out for out in outs if isinstance(out, Text)]


async def _rest(seconds: float) -> None:
    await asyncio.sleep(seconds)
