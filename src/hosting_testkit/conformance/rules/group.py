"""HC-GROUP: which messages of a group are for the bot."""

from __future__ import annotations

from collections.abc import Mapping

from hosting.messaging import GroupMode

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.counting import Counting
from ...targets.echo import Echo
from ..handlers import Handler, offering, replying
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule
from ..watched_store import WatchedStore

_ROOM = "room"
_EMOJI = "\N{GRINNING FACE}" * 2

_TRIGGERS: Mapping[GroupMode, frozenset[str]] = {
    "mention_only": frozenset({"mention", "reply"}),
    "command_only": frozenset({"command"}),
    "mention_or_command": frozenset({"mention", "reply", "command"}),
    "all": frozenset({"mention", "reply", "command", "no"}),
}


@rule("HC-GROUP-001", needs=["groups"], why="a bot that joins every talk is thrown out of the group")
async def unaddressed_messages_are_left_alone(k: Kit) -> None:
    """No run, no session, no call to the platform: neither a reply nor a sign of typing."""
    async with k.host(Counting(), state=WatchedStore(k.log)) as h:
        first = await _said(h, k.nonce(), "mention")
        k.control(first.text == "turn 1", "a message that mentions the bot is answered", observed=first.texts)
        for user in ("ann", "bob"):
            before = len(h.runs), len(h.env.calls), _sessions(k)
            reply = await _said(h, k.nonce(), "no", user=user)
            after = len(h.runs), len(h.env.calls), _sessions(k)
            named = ("runs", "calls to the platform", "writes of sessions")
            for name, number, expected in zip(named, after, before, strict=True):
                k.equal(f"{name} after a message that was not for the bot", number, expected)
            k.equal("what is shown after a message that was not for the bot", reply.texts, [])
        second = await _said(h, k.nonce(), "mention")
        k.equal("the next turn that is for the bot", second.text, "turn 2")


def _sessions(k: Kit) -> int:
    """Writes of the store so far that have to do with a session."""
    words = ("session", "history", "snapshot", "alias")
    return sum(
        event.kind == "store" and any(word in event.detail for word in words) for event in k.log.events
    )


async def _said(h: HostedChannel, text: str, addressed: str, **fields: object) -> Reply:
    """A message in the group."""
    turn = Turn(text=text, group=True, conversation=_ROOM).replace(addressed=addressed, **fields)
    wire = await h.wire(h.inbound(turn))
    return Reply(wire, await h.decode(wire))


@rule(
    "HC-GROUP-002",
    needs=["groups"],
    why="people learn once how to call the bot, and the model need not know its name",
)
async def each_mode_has_its_own_triggers(k: Kit) -> None:
    """Mentions, replies to the bot, commands and plain messages, under each mode and under the default.

    Wherever a mention stands, behind an emoji too, each word of the person reaches the target.
    """
    await _words_around_a_mention(k)
    commands = k.claim("commands").runs
    for mode in (None, *_TRIGGERS):
        expected = _TRIGGERS[mode or "mention_only"]
        handler = Handler(f"c{k.nonce()[:8]}", replying("ours"))
        options = {} if mode is None else {"accept_in_group": mode}
        async with k.host(Echo(), options=options, make=offering(handler)) as h:
            for form in ("mention", "reply", "no"):
                reply = await _said(h, said := k.nonce(), form)
                told = [run.text for run in h.runs if said in run.text]
                answer = [said] if form in expected else []
                k.equal(
                    f"{mode or 'default'}: what the target is told of a message, form {form}", told, answer
                )
                k.equal(f"{mode or 'default'}: what is shown of it, form {form}", reply.texts, answer)
            if commands:
                await _said(h, "", "no", command=handler.name)
                calls = int("command" in expected)
                k.equal(f"{mode or 'default'}: calls of a command's handler", len(handler.calls), calls)


async def _words_around_a_mention(k: Kit) -> None:
    """The emoji make one place of what is three by characters, by UTF-16 units and by bytes.

    Within a text the mention may stay, as a word of the sentence.
    """
    async with k.host(Echo()) as h:
        for where in ("first", "inside", "last"):
            words, before = [_EMOJI, k.nonce(), k.nonce()], len(h.runs)
            await _said(h, " ".join(words), "mention", mention=where)
            told = [run.text for run in h.runs[before:]]
            found = " ".join(told).split()
            rest = [word for word in found if word not in words]
            whole = [word for word in found if word in words] == words and len(rest) <= 1
            name = f"what the target is told of a message with emoji, mention {where}"
            k.check(name, whole, expected=" ".join(words), observed=told)


@rule(
    "HC-GROUP-003", needs=["groups"], why="people talk to each other too, and about bots with similar names"
)
async def look_alikes_do_not_trigger(k: Kit) -> None:
    """Neither another's mention, nor a name that begins like the bot's, nor quoted words."""
    async with k.host(Echo()) as h:
        first = await _said(h, said := k.nonce(), "mention")
        k.control(first.text == said, "a message that mentions the bot is answered", observed=first.texts)
        for addressed in ("other", "lookalike"):
            for text in (k.nonce(), f"{k.nonce()}?", f"what about {k.nonce()}"):
                await _ignored(k, h, text, addressed, f"that mentions {addressed}")
        for text in _QUOTED:
            await _ignored(k, h, f"{text} {k.nonce()}", "no", "with quoted words")


_QUOTED = ("> said the bot:", '"hello bot"', "bot@example.com", "@", "@ bot")


async def _ignored(k: Kit, h: HostedChannel, text: str, addressed: str, which: str) -> None:
    before = len(h.runs)
    reply = await _said(h, text, addressed)
    k.equal(f"runs of a message {which}", len(h.runs) - before, 0)
    k.equal(f"what is shown of a message {which}", reply.texts, [])
