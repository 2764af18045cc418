"""HC-SESS: by what name a conversation goes, and whose it is."""

from __future__ import annotations

from typing import Any

from hosting import ChannelRequest, ChannelSession

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.counting import Counting
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..leap import leap
from ..registry import rule
from ..watched_store import WatchedStore

_RESHUFFLED = (("a:b", "c"), ("a", "b:c"), ("a|b", "c"), ("a", "b|c"), ("a/b", "c"), ("a", "b/c"))
_NEARLY = (
    ("Kg", "c"),
    ("kg", "c"),
    (" kg", "c"),
    ("kg ", "c"),
    ("\N{LATIN SMALL LETTER E WITH ACUTE}", "c"),
    ("e\N{COMBINING ACUTE ACCENT}", "c"),
)
"""Ids that people may take for one, and platforms do not."""

_DAY = 24 * 3600.0
_LONG = 400 * _DAY
_ISSUED = 2

_CYRILLIC = "\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER O}"
_ALIKE = (
    (f"{_CYRILLIC}\N{CYRILLIC SMALL LETTER EN}", "c"),
    (f"{_CYRILLIC}\N{CYRILLIC SMALL LETTER EM}", "c"),
    ("\N{GRINNING FACE}", "\N{CJK UNIFIED IDEOGRAPH-65E5}"),
    ("\N{WAVING HAND SIGN}", "\N{CJK UNIFIED IDEOGRAPH-65E5}"),
    (f"{'long ' * 40}1", "c"),
    (f"{'long ' * 40}2", "c"),
)
"""Ids of one length in other scripts, and long ones: alike where a key is cut, or cannot hold them."""


@rule(
    "HC-SESS-003",
    needs=["sessions", "identity"],
    why="the same number on two platforms, or at two bots, may be two people",
)
async def channels_do_not_share_native_ids(k: Kit) -> None:
    """What a person told one instance of the channel is not known to the other."""
    async with k.side_by_side(Counting(), {"one": "/one/kit", "two": "/two/kit"}) as (one, two):
        await one.turn(secret := k.nonce(), user="ann")
        own = await one.turn(Counting.RECALL, user="ann")
        k.control(secret in own.text, "the first instance's session holds it", observed=own.text)
        other = await two.turn(Counting.RECALL, user="ann")
        k.equal("what the session at the other instance holds", other.text.strip(), "heard:")


@rule("HC-SESS-004", needs=["sessions"], why="an id with a colon in it must not open another conversation")
async def keys_are_injective(k: Kit) -> None:
    """Conversations never meet whose ids hold separators, differ in case or blanks, are not Latin, or have 200 characters.

    Nor do those that nobody names, where a caller need not name one.
    """
    threads = k.claim("threads").runs
    async with k.host(Counting()) as h:
        again = [(await h.turn(k.nonce(), conversation="plain")).text for _ in range(2)]
        k.control(again == ["turn 1", "turn 2"], "the same ids share a session", observed=again)
        for conversation, thread in (*_RESHUFFLED, *_NEARLY, *_ALIKE):
            reply = await _in(h, k.nonce(), conversation, thread, threads)
            place = f"conversation {conversation!r}" + (f", thread {thread!r}" if threads else "")
            refused = 400 <= reply.status < 500  # an id that may not be is no one else's either
            told = "turn 1" if refused else reply.text or f"status {reply.status}"
            k.equal(f"the first turn of {place}", told, "turn 1")
        if h.driver.nameless(Turn()) is not None:
            await _nameless(k, h)


async def _nameless(k: Kit, h: HostedChannel) -> None:
    """Who names no conversation begins one each time: nobody said that the two belong together."""
    for which in ("a first", "a second"):
        inbound = h.driver.nameless(Turn(text=k.nonce()))
        assert inbound is not None
        wire = await h.wire(inbound)
        reply = Reply(wire, await h.decode(wire))
        told = "turn 1" if 400 <= reply.status < 500 else reply.text or f"status {reply.status}"
        k.equal(f"{which} turn of a caller who names no conversation", told, "turn 1")


async def _in(h: HostedChannel, text: str, conversation: str, thread: str, threads: bool) -> Reply:
    """A turn in that place, a group where there are groups; without threads the two ids make one name.

    Where all chats are private the place is the person.
    """
    if threads:
        group = h.driver.capabilities["groups"].runs
        return await h.turn(text, conversation=conversation, thread=thread, group=group)
    name, group = f"{conversation} {thread}", h.driver.capabilities["groups"].runs
    if not any(h.driver.capabilities[kind].runs for kind in ("groups", "caller_sessions")):
        return await h.turn(text, user=name)
    return await h.turn(text, conversation=name, group=group)


@rule(
    "HC-SESS-005",
    needs=["caller_sessions", "auth"],
    why="who guesses an id must not read what another person said",
)
async def references_open_only_ones_own(k: Kit) -> None:
    """A chosen id opens the caller's own session; an issued one of somebody else is as unknown as any other."""
    async with k.host(Counting()) as h:
        first = await h.turn(secret := k.nonce(), user="ann", conversation="chosen")
        own = await h.turn(Counting.RECALL, user="ann", conversation="chosen")
        k.control(secret in own.text, "a chosen id opens the caller's own session", observed=own.text)
        foreign = await h.turn(Counting.RECALL, user="bob", conversation="chosen")
        k.equal("what the same chosen id opens for another", foreign.text.strip(), "heard:")
        issued = _reference(h, first)
        follow_up = await h.turn(Counting.RECALL, user="ann", parent=issued)
        k.control(secret in follow_up.text, "an issued id continues for its owner", observed=follow_up.text)
        both = await h.turn(Counting.RECALL, user="ann", parent=issued, conversation="another")
        kept = both.status >= 400 or secret in both.text
        name = "an issued id beside the name of another conversation continues, or is refused"
        k.check(name, kept, expected=secret, observed=both.text or both.status)
        stolen = await h.turn(Counting.RECALL, user="bob", parent=issued)
        unknown = await h.turn(Counting.RECALL, user="bob", parent=_other(issued))
        refused = secret not in stolen.text and stolen.status < 500
        k.check("what a foreign id opens", refused, expected="nothing", observed=stolen.text or stolen.status)
        k.equal("a foreign id beside an unknown one", _told(stolen, issued), _told(unknown, _other(issued)))
        if _reference(h, own) != issued:  # in some protocols an answer goes by the name of its session
            await _after_a_restart(k, h, {issued, _reference(h, own)})
    await _long_after(k)


def _reference(h: HostedChannel, reply: Reply) -> str:
    return ask_driver(lambda: h.driver.reference(reply), "reference(reply)")


async def _after_a_restart(k: Kit, h: HostedChannel, before: set[str]) -> None:
    """A process that begins anew gives none of the ids that the one before it gave."""
    await h.restart()
    for _ in range(_ISSUED):
        reply = await h.turn(k.nonce(), user="ann", conversation="chosen")
        issued = _reference(h, reply)
        k.check("an id after a restart", issued not in before, expected="a new one", observed=issued)


async def _long_after(k: Kit) -> None:
    """What continues an answer is kept as that is: callers could fill the store with what nobody ever removes."""
    async with k.host(Counting()) as h:
        first = await h.turn(k.nonce(), user="ann", conversation="chosen")
        ids = [_reference(h, first)]
        second = await h.turn(k.nonce(), user="ann", parent=ids[0])
        ids.append(_reference(h, second))
        await leap(_LONG)
        await h.turn(user="bob")  # hosts that nobody uses need not tidy up
        told = ["kept" if "turn" in (await h.turn(user="ann", parent=id)).text else "gone" for id in ids]
        name = f"after {_LONG / _DAY:.0f} days an answer that continues another, beside that one"
        k.equal(name, told[1], told[0])


def _other(reference: str) -> str:
    """An id of the same form that was never issued."""
    head, tail = reference[:-12], reference[-12:]
    return head + tail.translate(str.maketrans("0123456789abcdef", "1032547698badcfe"))


def _told(reply: Reply, reference: str) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of a refusal, without the id that was asked for."""
    if reply.status < 400:  # an id that callers may choose opens a session of their own
        return reply.status, reply.texts, {}
    headers = {name: value for name, value in reply.wire.headers.items() if name != "date"}
    return reply.status, reply.wire.body.replace(reference.encode(), b"ID"), headers


@rule("HC-SESS-012", needs=["hooks", "sessions"], why="a key that the app gives names one session everywhere")
async def equal_names_share_across_channels(k: Kit) -> None:
    """With equal names two channels share a session; with different ones they do not."""
    names = {"one": ("team", "shared"), "two": ("team", "shared"), "three": ("team", "other")}
    options = {name: {"run_hook": _named(*key)} for name, key in names.items()}
    paths = {name: f"/{name}/kit" for name in names}
    async with k.side_by_side(Counting(), paths, options=options) as (one, two, three):
        k.control((await one.turn(k.nonce())).text == "turn 1", "counting begins at 1")
        k.equal("the next turn under the same name on another channel", (await two.turn()).text, "turn 2")
        k.equal("the first turn under another name", (await three.turn()).text, "turn 1")


def _named(isolation_key: str, key: str) -> Any:
    def run_hook(request: ChannelRequest) -> ChannelRequest:
        return request.replace(session=ChannelSession(isolation_key, key=key))

    return run_hook


@rule(
    "HC-SESS-013",
    needs=["auth", "sessions"],
    why="strangers could fill the store, or begin sessions in other people's names",
)
async def nothing_is_stored_before_authentication(k: Kit) -> None:
    """A refused request writes nothing, and the first turn that is let in counts 1."""
    async with k.host(Counting(), state=WatchedStore(k.log)) as h:
        for credential in h.driver.bad_credentials:
            before = k.log.count("store")
            wire = await h.wire(h.inbound(Turn(text=k.nonce(), credential=credential)))
            refused = 400 <= wire.status < 500
            k.check(f"{credential}: refused", refused, expected="4xx", observed=wire.status)
            k.equal(f"{credential}: writes to the store", k.log.count("store") - before, 0)
        before = k.log.count("store")
        first = await h.turn(k.nonce())
        k.control(k.log.count("store") > before, "an authentic turn writes to the store")
        k.equal("the first authentic turn", first.text, "turn 1")
