"""HC-LIFE: workers that fetch events, while the network fails and while the host stops."""

from __future__ import annotations

from collections.abc import Iterable

from ...drivers.trouble import AnswerAltered
from ...drivers.turn import Inbound, Turn
from ...targets.echo import Echo
from ..absent_store import AbsentStore
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule
from .life_fetches import (
    LONGEST_BACKOFF,
    OUTAGE,
    answered,
    fetches_in_trouble,
    hiccups,
    limited,
    outage,
    quiet,
)


@rule(
    "HC-LIFE-007", needs=["polling"], why="a bot that stopped polling at night looks healthy in the morning"
)
async def workers_survive(k: Kit) -> None:
    """Outages, dead polls, strange answers and an absent store are got over; nothing is lost or reordered."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
        await quiet(k, h)
        if not (await fetches_in_trouble(k, h) and await outage(k, h)):
            return  # it polls no more, so that nothing else could be seen
        await hiccups(k, h)
        await limited(k, h)
        await _unreadable(k, h)
        await _drain(k, h)
    await _store_away(k)
    await _backlog(k)
    await _mixed(k)


async def _unreadable(k: Kit, h: HostedChannel) -> None:
    """What cannot be read today cannot be read tomorrow: it is passed over (contract 2.7)."""
    for field, inbound in ask_driver(h.driver.wrong_fields, "wrong_fields()").items():
        await h.wire(inbound)
        await answered(k, h, f"an event after one with a wrong {field} is answered", within=LONGEST_BACKOFF)
    half = k.nonce()
    for path in h.env.fetches:
        h.env.troubles.plan(path, AnswerAltered(half, r"half an emoji \ud83d"))
    await h.turn(k.nonce())  # ends the poll that is held open
    await h.wire(h.inbound(Turn(text=half)))
    await answered(k, h, "an event after one whose text is no text is answered", within=LONGEST_BACKOFF)
    k.control(_runs(h, half) == 0, "a poll brings an event whose text is no text")
    for path in h.env.fetches:
        h.env.troubles.over(path)


async def _store_away(k: Kit) -> None:
    """An update that the host could not take is not confirmed (contract 4.3)."""
    store = AbsentStore()
    async with k.host(Echo(), state=store) as h:
        store.away = True
        await h.wire(h.inbound(Turn(text=(said := k.nonce()))))
        store.away = False
        await h.rest(LONGEST_BACKOFF)
        k.equal("runs of an event that came while the store was away", _runs(h, said), 1)


async def _backlog(k: Kit) -> None:
    """Events that waited together come in one answer, and their ids grow by a digit."""
    said = {id: k.nonce() for id in ("9", "10", "11")}
    async with k.host(Echo()) as h:
        h.env.reachable = False
        await h.rest(OUTAGE)
        for id, text in said.items():
            await h.wire(h.inbound(Turn(text=text, delivery_id=id)))
        h.env.reachable = True
        await h.rest(LONGEST_BACKOFF)
        k.equal(
            "runs of events that waited together, in order", [run.text for run in h.runs], [*said.values()]
        )


async def _mixed(k: Kit) -> None:
    """Turns that waited with events that are none, or that cannot be read: each of them runs."""
    async with k.host(Echo()) as h:
        h.env.reachable = False
        await h.rest(OUTAGE)
        said: list[str] = []
        for other in (*_others(h, "non_turns"), *_others(h, "wrong_fields")):
            await h.wire(other)
            await h.wire(h.inbound(Turn(text=(text := k.nonce()))))
            said.append(text)
        h.env.reachable = True
        await h.rest(LONGEST_BACKOFF)
        k.equal("runs of turns that waited among other events, in order", [run.text for run in h.runs], said)


def _others(h: HostedChannel, hook: str) -> Iterable[Inbound]:
    return ask_driver(getattr(h.driver, hook), f"{hook}()").values()


async def _drain(k: Kit, h: HostedChannel) -> None:
    h.begin_drain()
    await h.rest()
    inbound = h.inbound(Turn(text=(said := k.nonce())))
    await h.wire(inbound)
    k.control(_runs(h, said) == 0, "an event does not run after the drain began")
    await h.restart()
    await h.rest(LONGEST_BACKOFF)
    k.equal("runs of an event of the drain, after a restart", _runs(h, said), 1)


def _runs(h: HostedChannel, said: str) -> int:
    return sum(run.text == said for run in h.runs)
