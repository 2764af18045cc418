"""HC-GROUP: whose session a message in a group belongs to, and where its answer goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...drivers.turn import Turn
from ...drivers.wire import Text
from ...targets.counting import Counting
from ...targets.echo import Echo
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule

Place = tuple[str | None, str | None]

_ROOM = Turn(group=True, conversation="room", user="ann")
_OTHERS = {
    "another group": _ROOM.replace(conversation="hall"),
    "another person": _ROOM.replace(user="bob"),
    "the private chat": Turn(user="ann"),
}

_SCOPES: Mapping[str | None, tuple[Sequence[str], Sequence[str]]] = {
    None: ((), ("another group", "another person", "the private chat")),
    "per_user_per_conversation": ((), ("another group", "another person", "the private chat")),
    "per_conversation": (("another person",), ("another group", "the private chat")),
    "per_user": (("another group", "the private chat"), ("another person",)),
}
"""Who shares the session of one person in one group, and who has another one."""


@rule(
    "HC-GROUP-004",
    needs=["groups", "sessions"],
    why="what one tells the bot alone must not come up in a group",
)
async def the_conversation_scope_holds(k: Kit) -> None:
    """Who shares a session with whom, under each scope and under the default."""
    for scope in _SCOPES:
        name, effective = scope or "default", scope or k.claim("groups").params.get("scope")
        shares, parted = _SCOPES[effective]
        options = {} if scope is None else {"conversation_scope": scope}
        async with k.host(Counting(), options=options) as h:
            own = [await _counts(k, h, _ROOM) for _ in range(2)]
            k.equal(f"{name}: two turns of one person in a group", own, ["turn 1", "turn 2"])
            for number, whose in enumerate(shares, 3):
                counted = await _counts(k, h, _OTHERS[whose])
                k.equal(f"{name}: a turn of {whose}, which shares", counted, f"turn {number}")
            for whose in parted:
                k.equal(f"{name}: the first turn of {whose}", await _counts(k, h, _OTHERS[whose]), "turn 1")
            if k.claim("threads").runs and effective != "per_user":
                topic = _ROOM.replace(thread="topic")
                k.equal(f"{name}: the first turn of a thread", await _counts(k, h, topic), "turn 1")


async def _counts(k: Kit, h: HostedChannel, turn: Turn) -> str:
    shown = await _shown(h, turn.replace(text=k.nonce()))
    return " ".join(text for text, _ in shown)


async def _shown(h: HostedChannel, turn: Turn) -> list[tuple[str, Place]]:
    """Each text that came of a turn, with conversation and thread."""
    outs = await h.decode(await h.wire(h.inbound(turn)))
    messages = {
        number if out.item is None else out.item: out
        for number, out in enumerate(outs)
        if isinstance(out, Text)
    }
    return [(out.text, (out.to, out.thread)) for out in messages.values()]


@rule(
    "HC-GROUP-005",
    needs=["groups", "threads"],
    why="an answer in another thread is an answer to somebody else",
)
async def replies_stay_in_their_thread(k: Kit) -> None:
    """Each of two threads and the group itself get their own answers, all of them in the same conversation."""
    long = " ".join(k.nonce() for _ in range(20))
    async with k.host(Echo()) as h:
        private = await _shown(h, Turn(text=k.nonce(), user="ann"))
        k.control(bool(private), "the person is answered in private", observed=private)
        places: dict[str | None, set[Place]] = {}
        for thread in (None, "one", "two", "one", None):
            shown = await _shown(h, _ROOM.replace(text=(said := f"{k.nonce()} {long}"), thread=thread))
            text = "".join("".join(part.split()) for part, _ in shown)
            k.control(text == "".join(said.split()), "the message is answered", observed=shown)
            places.setdefault(thread, set()).update(place for _, place in shown)
        for thread, found in places.items():
            k.equal(f"places of the answers to thread {thread}", len(found), 1)
        conversations = {to for found in places.values() for to, _ in found}
        k.equal("conversations of all answers", len(conversations), 1)
        threads = {thread for found in places.values() for _, thread in found}
        k.equal("threads of all answers", len(threads), 3)
        elsewhere = await _shown(h, _ROOM.replace(text=k.nonce(), conversation="hall"))
        k.check("another group's answer", elsewhere[0][1][0] not in conversations, observed=elsewhere)
