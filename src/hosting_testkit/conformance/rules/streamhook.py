"""HC-STREAMHOOK: the app's say in what is streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agent_framework import AgentResponseUpdate, Content

from ...drivers.wire import Reply
from ...targets.counting import Counting
from ...targets.leak import Leak
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule

_PIECES = ("one ", "two ", "three ", "four ", "five ")
_Hook = Callable[[AgentResponseUpdate], Any]


@rule("HC-STREAMHOOK-001", needs=["hooks", "streaming"], why="a filter that misses an update lets it through")
async def every_update_once_in_order(k: Kit) -> None:
    """The hook sees each update by itself, and what it lets through is shown in that order."""
    heard: list[str] = []

    async def hook(update: AgentResponseUpdate) -> AgentResponseUpdate:
        heard.append(update.text)
        for _ in range(5 - len(heard)):  # the first takes longest
            await asyncio.sleep(0)
        return update

    async with k.host(Scripted(*_PIECES), options={"stream_update_hook": hook}) as h:
        reply = await h.turn(stream=True)
    k.equal("updates that the hook saw", [text for text in heard if text], list(_PIECES))
    k.equal("the text that is shown", reply.text, "".join(_PIECES))


@rule(
    "HC-STREAMHOOK-002",
    needs=["hooks", "streaming"],
    why="an app that hides an update must not break the stream",
)
async def a_dropped_update_leaves_a_valid_stream(k: Kit) -> None:
    """Whichever updates are dropped, the stream ends once and as it would have, without their text."""
    async with k.host(Scripted(*_PIECES), options={"stream_update_hook": _without()}) as h:
        whole = await h.turn(stream=True)
    k.control(whole.text == "".join(_PIECES), "with nothing dropped the stream is whole", observed=whole.text)
    for dropped in (_PIECES[:1], _PIECES[2:3], _PIECES[-1:], _PIECES):
        async with k.host(Scripted(*_PIECES), options={"stream_update_hook": _without(*dropped)}) as h:
            reply = await h.turn(stream=True)
        kept = "".join(piece for piece in _PIECES if piece not in dropped)
        which = "all" if dropped == _PIECES else "".join(dropped).strip()
        k.equal(f"the text without {which}", reply.text, kept)
        k.equal(f"the end without {which}", _ends(reply), _ends(whole))


def _without(*dropped: str) -> _Hook:
    return lambda update: None if update.text in dropped else update


def _ends(reply: Reply) -> list[str]:
    return [terminal.status for terminal in reply.terminals]


@rule(
    "HC-STREAMHOOK-003", needs=["hooks", "streaming"], why="a replacement that is not shown replaces nothing"
)
async def a_replaced_update_is_shown(k: Kit) -> None:
    """What the hook returns is what is shown, from a sync hook and from an async one."""
    said = k.nonce()

    def replaced(update: AgentResponseUpdate) -> AgentResponseUpdate:
        if not update.text:
            return update
        return AgentResponseUpdate(contents=[Content.from_text(said)], role="assistant")

    async def later(update: AgentResponseUpdate) -> AgentResponseUpdate:
        return replaced(update)

    for how, hook in {"sync": replaced, "async": later}.items():
        async with k.host(Scripted(own := k.nonce()), options={"stream_update_hook": hook}) as h:
            reply = await h.turn(stream=True)
        k.equal(f"the text that is shown, {how} hook", (said in reply.text, own in reply.text), (True, False))


@rule(
    "HC-STREAMHOOK-004",
    needs=["hooks", "streaming"],
    why="a filter that breaks must not leave a stream that just stops",
)
async def a_raising_hook_ends_the_stream(k: Kit) -> None:
    """The stream ends with the protocol's error, the target's stream is closed, and the session is as it was."""
    raising = [True]

    def hook(update: AgentResponseUpdate) -> AgentResponseUpdate:
        if raising and update.text.isdigit():
            raise RuntimeError("the hook fails")
        return update

    leak = Leak(Counting())
    async with k.host(leak, options={"stream_update_hook": hook}) as h:
        reply = await h.turn(stream=True)
        if not k.claim("edits").runs:
            k.equal("ends of the stream", len(reply.terminals), 1)
            k.check("the end tells a failure", bool(reply.errors), observed=reply.outs)
        k.equal("the target's stream", (leak.streams[-1].end, leak.streams[-1].fault()), ("closed", None))
        raising.clear()
        k.equal("the next turn", (await h.turn(stream=True)).text, "turn 1")
