"""HC-CONC: what many turns leave behind in the channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from agent_framework import normalize_messages

from hosting import Channel, ChannelRequest, Denied

from ...drivers.base import ChannelDriver
from ...drivers.turn import Turn
from ...targets.agent import Run, Updates
from ...targets.echo import Echo
from ...targets.gate import Gates
from ..hosted import HostedChannel
from ..kept_texts import kept_things
from ..kit import Kit
from ..leap import leap
from ..registry import rule

_Visit = Callable[[str], Awaitable[None]]

_REFUSED, _FORGED = _WITHOUT_RUN = ("are refused", "nobody may ask for")
_WEEKS = 10 * 24 * 3600.0
_FEW, _SOME, _MANY = 4, 16, 150
"""Turns: until everything is there that is there once, that show growth, and that fill whatever is bounded."""

_GROWN = 12
"""Things more after `_SOME` turns: nearly one for each."""


class _Varied(Echo):
    """An echo that fails, or stands at a gate, when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        if run.text.startswith("fail"):
            raise RuntimeError("told to fail")
        if run.text.startswith("wait"):
            yield run.update("first ")
            await self.gates.stop(run.text)
        async for update in super().answer(run):
            yield update


@rule(
    "HC-CONC-006",
    why="what each turn leaves behind is found when the process has run for a month, by its death",
)
async def many_turns_leave_nothing_behind(k: Kit) -> None:
    """Turns that are answered, fail, are refused, or whose caller leaves: the channel holds no more after them.

    Weeks pass before each count, and what is bounded may fill up first.
    """
    made: list[Channel] = []

    def make(driver: ChannelDriver) -> Channel:
        made.append(driver.make(driver.env))
        return made[-1]

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        if "refuse" in normalize_messages(request.input)[-1].text:
            refused.append(request)
            raise Denied("not today")
        return request

    refused: list[ChannelRequest] = []
    target, hooked = _Varied(), k.claim("hooks").runs
    async with k.host(target, make=make, options={"run_hook": run_hook} if hooked else {}) as h:
        await h.turn("fail once")
        for kind, visit in _kinds(k, h, target, hooked=hooked).items():
            before = len(h.runs)
            grown = await _growth(h, made[-1], kind, visit)
            ran, run = len(h.runs) - before - 2 * _FEW, 0 if kind in _WITHOUT_RUN else _FEW + _SOME
            k.control(ran == run, f"of turns that {kind} {run} run", observed=ran)
            if grown >= _GROWN:
                await _times(_MANY, kind, visit)
                grown = await _growth(h, made[-1], kind, visit)
            few = f"fewer than {_GROWN}"
            k.check(
                f"things held more after {_SOME} turns that {kind}",
                grown < _GROWN,
                expected=few,
                observed=grown,
            )
    k.control(len(refused) >= _SOME or not hooked, "the app refuses turns", observed=len(refused))


def _kinds(k: Kit, h: HostedChannel, target: _Varied, *, hooked: bool) -> Mapping[str, _Visit]:
    """Ways in which a turn may go, each by people who come once."""

    place, numbers = "user" if k.claim("messaging").runs else "conversation", count()

    def turn(text: str, **fields: Any) -> Turn:
        return Turn(text=f"{text} {k.nonce()}", **{place: f"visitor{next(numbers)}"}, **fields)

    async def said(kind: str) -> None:
        await h.wire(h.inbound(turn(kind)))

    async def forged(kind: str) -> None:
        await h.wire(h.inbound(turn(kind, credential="wrong")))

    async def left(kind: str) -> None:
        asked = turn(kind, stream=k.claim("streaming").runs)
        async with h.open(h.inbound(asked)):
            await target.gates.reached(asked.text)
        await h.rest()

    kinds: dict[str, _Visit] = {"are answered": said, "fail": said}
    if hooked:
        kinds[_REFUSED] = said
    if k.claim("auth").runs and "wrong" in h.driver.bad_credentials:
        kinds[_FORGED] = forged
    if k.claim("http").runs and not k.claim("messaging").runs:
        kinds["wait for a caller who leaves"] = left
    return kinds


async def _growth(h: HostedChannel, channel: Channel, kind: str, visit: _Visit) -> int:
    """How much more the channel holds after some turns of one kind."""
    counts: list[int] = []
    for turns in (_FEW, _SOME):
        await _times(turns, kind, visit)
        await leap(_WEEKS)
        for _ in range(_FEW):
            await h.turn("plain")  # channels that nobody uses need not tidy up
        counts.append(kept_things(channel))
    return counts[1] - counts[0]


async def _times(turns: int, kind: str, visit: _Visit) -> None:
    for _ in range(turns):
        await visit(kind)
