"""HC-CONC: many turns at once while everything goes wrong now and then."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...drivers.trouble import AnswerLost, AnswerSpoilt, Trouble, Unreachable
from ...drivers.turn import Turn
from ...drivers.wire import Reply, Wire
from ...targets.agent import Run, Updates
from ...targets.echo import Echo
from ...transports.asgi import BridgeOptions
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule
from ..replicas import Replica, replicas

_TURNS = 18
_SEED = 8
_DEATHS = (1.5, 40.0)
"""Virtual seconds after which one process dies, and then the other."""

_LONG = 300.0
_REDELIVERY = 5.0

_Way = Literal["plain", "twice", "cut"]
_WAYS: Sequence[_Way] = ("plain", "twice", "cut")


class _Unhurried(Echo):
    """An echo that takes its time, another one for each turn."""

    async def answer(self, run: Run) -> Updates:
        await asyncio.sleep(run.number % 5 * 0.7)
        async for update in super().answer(run):
            yield update


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """One turn: how it comes in, and what its reply meets."""

    turn: Turn
    way: _Way
    trouble: Trouble | None

    def __str__(self) -> str:
        return f"{self.way}, {self.trouble}"


@rule(
    "HC-CONC-008",
    why="what fails once in a thousand turns fails every day; then somebody waits, or pays twice",
)
async def every_turn_is_accounted_for(k: Kit) -> None:
    """Copies, lost acknowledgements, a platform that fails, processes that die: each turn is answered once, or on record."""
    async with replicas(k, _Unhurried(), 2) as hosts:
        planned = _planned(k, hosts[0])
        deaths = asyncio.gather(*map(_dies, hosts, _DEATHS))
        answers = await _all_said(hosts, planned)
        await deaths
        await hosts[0].rest(_LONG)
        if k.claim("messaging").runs:
            await _sent(k, hosts[0], planned)
        else:
            _answered(k, hosts[0], planned, answers)


def _planned(k: Kit, h: Replica) -> list[_Planned]:
    """Every way in with every trouble, in an order that is the same each time; the chance is in what they meet."""
    chance, messaging = random.Random(_SEED), k.claim("messaging").runs
    troubles: list[Trouble | None] = [None]
    if messaging and k.claim("outbound").runs:
        limited = ask_driver(lambda: h.driver.rate_limited(3.0), "rate_limited()")
        unsure = AnswerLost("reset", arrives=False), AnswerLost("timeout"), AnswerSpoilt(502)
        troubles += [limited, Unreachable(), *unsure]
    found: list[_Planned] = []
    for number in range(_TURNS):
        turn = Turn(text=k.nonce(), delivery_id=k.nonce() if k.claim("delivery_ids").runs else None)
        place = {"user": f"user{number}"} if messaging else {"conversation": f"of-user{number}"}
        way, trouble = _WAYS[number % len(_WAYS)], troubles[number // len(_WAYS) % len(troubles)]
        found.append(_Planned(turn.replace(**place), way if turn.delivery_id else "plain", trouble))
    chance.shuffle(found)
    return found


async def _dies(h: Replica, after: float) -> None:
    await h.rest(after)
    await h.host.kill()
    await h.host.start()


async def _all_said(hosts: Sequence[Replica], planned: Sequence[_Planned]) -> Sequence[Reply]:
    for one in planned:
        if one.trouble is not None:
            hosts[0].env.troubles.plan(one.turn.text, [one.trouble])
    said = [_said(hosts[number % len(hosts)], one) for number, one in enumerate(planned)]
    return await asyncio.gather(*said)


async def _said(h: Replica, one: _Planned) -> Reply:
    """The last answer to a turn; what was not acknowledged comes again, as from a platform or a careful client."""
    cut = BridgeOptions(drop_after=0, raise_app_errors=False) if one.way == "cut" else None
    wires = [await h.wire(h.inbound(one.turn), bridge=cut)]
    unsure = cut is not None or wires[-1].status >= 300 or not wires[-1].complete
    if one.turn.delivery_id is not None and (unsure or one.way == "twice"):
        await h.rest(_REDELIVERY)
        wires.append(await h.wire(h.inbound(one.turn)))
    return Reply(wires[-1], await h.decode(wires[-1]))


async def _sent(k: Kit, h: Replica, planned: Sequence[_Planned]) -> None:
    """What people see of all that was sent, and what is on record."""
    met = sum(map(len, h.env.troubles.met.values()))
    k.control(met > 0 or not k.claim("outbound").runs, "replies meet trouble", observed=met)
    wire = Wire(status=200, calls=tuple(h.env.calls))
    texts = Reply(wire, await h.decode(wire)).texts
    times = {one: texts.count(one.turn.text) for one in planned}
    k.equal("turns answered more than once", [str(one) for one in planned if times[one] > 1], [])
    silent = [one for one in planned if not times[one]]
    on_record = [one for one in silent if {"unknown", "dead"} & set(h.plan.told.of(one.turn.text))]
    failed = sum(status == "failed" for status, _ in h.kept.turns.values())
    lost = [str(one) for one in silent if one not in on_record]
    k.check("turns that nobody can account for", len(lost) <= failed, expected="none", observed=lost)


def _answered(k: Kit, h: Replica, planned: Sequence[_Planned], answers: Sequence[Reply]) -> None:
    """Every request has got an answer or an error in the end; what had a key ran once."""
    texts = [run.text for run in h.runs]
    twice = [str(one) for one in planned if one.turn.delivery_id and texts.count(one.turn.text) > 1]
    k.equal("requests with a key that ran more than once", twice, [])
    lost = [
        str(one)
        for one, reply in zip(planned, answers, strict=True)
        if one.turn.text not in reply.text and reply.status < 400 and not reply.errors
    ]
    k.equal("requests that nobody can account for", lost, [])
