"""HC-CONC: what turns that run at the same time do to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from agent_framework import normalize_messages

from hosting import ChannelRequest, HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import File, Reply, Text
from ...targets.echo import Echo
from ...targets.gate import Gate
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule
from ..replies import OpenReply

_PEOPLE = 4


@rule("HC-CONC-001", why="a bot that mixes people up tells one of them what the other one asked")
async def parallel_conversations_stay_apart(k: Kit) -> None:
    """All targets stand at their gates at once; released backwards, each answer reaches the one who asked.

    So it does when all of them say the same.
    """
    await _at_once(k, {f"user{number}": k.nonce() for number in range(_PEOPLE)}, "")
    await _at_once(
        k, dict.fromkeys((f"user{number}" for number in range(_PEOPLE)), k.nonce()), " who say the same"
    )


async def _at_once(k: Kit, said: dict[str, str], who: str) -> None:
    target = Gate()
    async with k.host(target, limits=HostLimits()) as h, AsyncExitStack() as stack:
        places = {user: await _place(h, target, user, k.nonce()) for user in said}
        opened = {
            user: await stack.enter_async_context(h.open(h.inbound(_turn(h, user, text))))
            for user, text in said.items()
        }
        await _rest()
        standing = sum(target.gates.waiting(text) for text in {*said.values()})
        k.equal(f"runs at once{who and ' of people'}{who}", standing, _PEOPLE)
        for text in reversed(said.values()):
            target.gates.release(text)
            await _rest()
        for user, text in said.items():
            reply = await _answer(opened, user, places[user])
            k.equal(f"what one of {_PEOPLE} people at once{who} is told", reply.text, text)


def _turn(h: HostedChannel, user: str, text: str) -> Turn:
    """A person's private chat; where there are no persons, a conversation of its own."""
    if h.driver.capabilities["messaging"].runs:
        return Turn(text=text, user=user)
    return Turn(text=text, conversation=f"of-{user}")


async def _place(h: HostedChannel, target: Gate, user: str, text: str) -> str | None:
    """Where the user's answers go, on channels that send."""
    target.gates.release(text)
    wire = await h.wire(h.inbound(_turn(h, user, text)))
    sent = [out for out in await h.decode(wire) if isinstance(out, Text | File)]
    return sent[-1].to if sent else None


async def _answer(opened: dict[str, OpenReply], user: str, place: str | None) -> Reply:
    """What has come for a user: in the response, or among all that was sent since the first one asked."""
    if place is None:
        await opened[user].finished()
        return await opened[user].reply()
    everything = await next(iter(opened.values())).reply()
    return Reply(everything.wire, [out for out in everything.outs if getattr(out, "to", place) == place])


@rule(
    "HC-CONC-002", needs=["messaging"], why="answers in another order than the questions mean something else"
)
async def turns_of_one_conversation_keep_their_order(k: Kit) -> None:
    """The first one takes longest on its way to the target, and still is answered first; so in a group of people."""
    await _keeps_order(k, "", [Turn(), Turn(), Turn(text="/stop"), Turn(text="how does /stop work, ")])
    if k.claim("groups").runs:
        room = Turn(group=True, conversation="room")
        await _keeps_order(k, " in a group", [room.replace(user=user) for user in ("ann", "bob", "ann")])


async def _keeps_order(k: Kit, where: str, turns: Sequence[Turn]) -> None:
    """Says the turns one soon after the other; later ones would be faster, and a word that begins like a command is none."""
    said = {turn.text + k.nonce(): turn for turn in turns}

    async def run_hook(request: ChannelRequest) -> ChannelRequest:
        await asyncio.sleep(waits[normalize_messages(request.input)[-1].text])
        return request

    waits = dict(zip(said, (1.5, 0.5, 0.0, 0.0)[: len(said)], strict=True))
    options = {"run_hook": run_hook} if k.claim("hooks").runs else {}
    async with k.host(Echo(), options=options) as h, AsyncExitStack() as stack:
        opened = [await _asked(h, stack, turn.replace(text=text)) for text, turn in said.items()]
        await opened[0].shows(lambda reply: said.keys() <= set(reply.texts), within=_patience(k))
        await _rest()
        k.equal(f"runs{where}, in order", [run.text for run in h.runs], list(said))
        k.equal(f"answers{where}, in order", (await opened[0].reply()).texts, list(said))


def _patience(k: Kit) -> float:
    """Seconds in which three answers are there: each may be shown in two steps, which some channels have to space."""
    return 5.0 + 6 * float(k.claim("edits").params.get("interval", 0.0))


async def _asked(h: HostedChannel, stack: AsyncExitStack, turn: Turn) -> OpenReply:
    """A turn that the channel has taken."""
    opened = await stack.enter_async_context(h.open(h.inbound(turn)))
    await opened.shows(lambda reply: bool(reply.status), within=0.2)
    return opened


async def _rest() -> None:
    await asyncio.sleep(0.3)
