"""HC-CONT: runs in the background, from the question to the end."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from itertools import combinations

from ...drivers.turn import Turn
from ...targets import steps
from ...targets.gate import Gate
from ...targets.scripted import Scripted
from ..hosted import HostedChannel
from ..kit import Kit
from ..later import LaterRun, ask_for_later, begins, standing_of, token_of
from ..registry import rule

_AT_ONCE = 5.0
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
_DIFFER = 10
"""Places in which two tokens differ at least; even those that begin with the time differ in more."""


@rule(
    "HC-CONT-001",
    needs=["background"],
    why="who asks for a long run must not wait for it, and nobody may guess who else asked",
)
async def a_token_comes_at_once(k: Kit) -> None:
    """The answer comes while the target is held; its token says nothing, and tells nothing of the next one."""
    target, tokens = Gate(), list[str]()
    conversation = k.nonce()
    async with k.host(target) as h:
        for number in range(3):
            said = k.nonce()
            turn = Turn(text=said, conversation=f"{conversation}.{number}", background=True)
            async with h.open(h.inbound(turn)) as opened:
                at_once = await opened.shows(lambda reply: reply.wire.complete, within=_AT_ONCE)
                name = "an answer while the target is held"
                k.check(name, at_once, expected=f"within {_AT_ONCE:g} s", observed="none")
                if not at_once:
                    return
                tokens.append(token_of(h, await opened.reply()))
            k.control(await begins(target.gates, said), "the run begins")
            told = [word for word in (said, conversation) if word in _opened(tokens[-1])]
            k.equal("what the token gives away", told, [])
        target.gates.release_all()
    k.equal("tokens that need quoting in a URL", [t for t in tokens if not _URL_SAFE.fullmatch(t)], [])
    alike = [pair for pair in combinations(tokens, 2) if _differences(*pair) < _DIFFER]
    k.equal(f"pairs of tokens that differ in fewer than {_DIFFER} places", alike, [])


def _opened(token: str) -> str:
    """A token, and what it says where it is only encoded."""
    found = [token]
    for part in re.split(r"[._]", token):
        try:
            whole = part + "=" * (-len(part) % 4)
            found.append(base64.urlsafe_b64decode(whole).decode(errors="replace"))
        except (binascii.Error, ValueError):
            continue
    return " ".join(found)


def _differences(one: str, other: str) -> int:
    same = sum(a == b for a, b in zip(one, other, strict=False))
    return max(len(one), len(other)) - same


@rule(
    "HC-CONT-002",
    needs=["background"],
    why="a client that waits for an end must get one, and must be able to trust it",
)
async def a_run_goes_forward_to_one_end(k: Kit) -> None:
    """From waiting to running to its end, which stays; each end is told as what it is."""
    await _to_the_end(k)
    await _cancelled(k)
    ends: dict[str, Sequence[steps.Step]] = {
        "incomplete": ["said", steps.Finish("length")],
        "failed": ["said", steps.Fail(RuntimeError(secret := k.nonce()))],
    }
    if k.claim("approvals").runs:
        ends["input_required"] = ["said ", steps.Approval("tool")]
    for end, script in ends.items():
        async with k.host(Scripted(*script)) as h:
            reply = await (await ask_for_later(h, k.nonce())).ended()
            k.equal(f"the end of a run that should be {end}", standing_of(h, reply), end)
        if end == "failed":
            k.check("a word of the failure", bool(reply.errors), expected="an error", observed=reply.outs)
            k.check("what the failure gives away", secret.encode() not in reply.wire.body, expected="nothing")


async def _to_the_end(k: Kit) -> None:
    """Two runs of one conversation, one behind the other."""
    target, texts = Gate(), (k.nonce(), k.nonce())
    async with k.host(target) as h:
        first = await ask_for_later(h, texts[0], conversation="c")
        second = await ask_for_later(h, texts[1], conversation="c")
        k.control(await begins(target.gates, texts[0]), "the first run begins")
        k.equal("a run that is under way", await first.standing(), "running")
        k.equal("a run that waits behind it", await second.standing(), "queued")
        target.release(texts[0])
        for run, text in ((first, texts[0]), (second, texts[1])):
            target.release(text)
            await _look_at_completed(k, h, run, text)


async def _look_at_completed(k: Kit, h: HostedChannel, run: LaterRun, text: str) -> None:
    reply = await run.ended()
    k.equal("the end of a run that answers", standing_of(h, reply), "completed")
    k.check("its result", text in reply.text, expected=text, observed=reply.text)
    await run.withdraw()
    later = [await run.standing() for _ in range(3)]
    k.equal("the same run later, when somebody has tried to cancel it", later, ["completed"] * 3)


async def _cancelled(k: Kit) -> None:
    target, text = Gate(), k.nonce()
    async with k.host(target) as h:
        run = await ask_for_later(h, text)
        k.control(await begins(target.gates, text), "the run begins")
        await run.withdraw()
        k.equal("runs under way after their cancellation", target.waiting(text), 0)
        target.release(text)
        k.equal("the end of a run that was cancelled", standing_of(h, await run.ended()), "cancelled")
