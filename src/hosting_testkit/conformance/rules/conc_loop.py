"""HC-CONC: what turns leave to each other in the loop and in its contexts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from contextvars import Context, ContextVar, copy_context

from ...drivers.turn import Turn
from ...targets.agent import Run, Updates
from ...targets.echo import Echo
from ...targets.gate import Gates
from ...watchdog import Blocked, watched_loop
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule

_CAP = 0.2
"""Real seconds that nothing may hold the loop up for."""

_EACH_TIME = 0.1
"""Real seconds that nothing may hold the loop up for each time that it comes by; once, it may be the machine."""

_ROUNDS = 3


class _Failing(Echo):
    """An echo; told `fail …` it fails, told `long …` it says more than one message holds."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    async def answer(self, run: Run) -> Updates:
        if run.text.startswith("fail"):
            raise RuntimeError("the target fails")
        if run.text.startswith("long"):
            yield run.update("long " * (2 * self.limit // len("long ")))
            return
        async for update in super().answer(run):
            yield update


@rule("HC-CONC-004", why="while one call blocks the loop, nobody else is served, and platforms give up")
async def the_loop_is_never_blocked(k: Kit) -> None:
    """A watchdog looks on while turns are answered, at length too, streamed, fail, are forged, and find the platform away."""
    limit = k.claim("text_limit").params.get("limit", 0) if k.claim("text_limit").runs else 0
    async with k.host(_Failing(limit)) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
        rounds: list[list[Blocked]] = []
        with watched_loop(_CAP) as blocked:
            for _ in range(_ROUNDS):
                with watched_loop(_EACH_TIME) as shorter:
                    await _all_kinds(k, h, said, limit)
                rounds.append(shorter)
        places = sorted({str(place) for place in blocked})
        k.equal(f"lines that held up the loop for {_CAP:g} s", places, [])
        k.equal(f"lines that held up the loop for {_EACH_TIME:g} s each time", _always(rounds), [])


async def _all_kinds(k: Kit, h: HostedChannel, said: str, limit: int) -> None:
    """Turns that are answered, at length, fail, are streamed, are forged, and find the platform away."""
    await h.turn(said)
    await h.turn(f"fail {said}")
    if limit:
        await h.turn(f"long {said}")
    if k.claim("streaming").runs:
        await h.turn(said, stream=True)
    if k.claim("auth").runs and "wrong" in h.driver.bad_credentials:
        await h.wire(h.inbound(Turn(text=said, credential="wrong")))
    if k.claim("outbound").runs:
        await _while_the_platform_is_away(h, said)


def _always(rounds: Sequence[Sequence[Blocked]]) -> list[str]:
    """Where the loop stood in every round, the line being the last round's."""
    functions = [{(place.file, place.function) for place in places} for places in rounds]
    common = set[tuple[str, str]].intersection(*functions)
    return sorted({str(place) for place in rounds[-1] if (place.file, place.function) in common})


async def _while_the_platform_is_away(h: HostedChannel, text: str) -> None:
    h.env.reachable = False
    async with h.open(h.inbound(Turn(text=text))) as opened:
        await opened.shows(lambda reply: bool(reply.texts), within=2.0)
        h.env.reachable = True
        await opened.shows(lambda reply: bool(reply.texts))


_turn: ContextVar[str] = ContextVar("conformance_turn")


class _Marking(Echo):
    """An echo that marks its context with what it was told, and keeps what it found there."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()
        self.found: dict[str, tuple[str | None, Context]] = {}

    async def answer(self, run: Run) -> Updates:
        self.found[run.text] = (_turn.get(None), copy_context())
        _turn.set(run.text)
        if run.text.startswith("wait"):
            await self.gates.stop(run.text)
        async for update in super().answer(run):
            yield update


@rule("HC-CONC-005", why="whose turn it is, or with whose rights, is often kept in a context variable")
async def context_variables_stay_in_their_turn(k: Kit) -> None:
    """In sequence and at once, no turn finds the mark of another, nor anything of another's in any variable."""
    target = _Marking()
    one, two, three, four = k.nonce(), k.nonce(), f"wait {k.nonce()}", f"wait {k.nonce()}"
    async with k.host(target) as h, AsyncExitStack() as stack:
        for text, user in ((one, "ann"), (two, "bob")):
            await h.turn(text, user=user)
        for text, user in ((three, "ann"), (four, "bob")):
            await stack.enter_async_context(h.open(h.inbound(Turn(text=text, user=user))))
            await _rest()
        target.gates.release_all()
        await _rest()
    k.control(set(target.found) == {one, two, three, four}, "all four turns ran", observed=len(target.found))
    for text, (mark, context) in target.found.items():
        k.equal("the mark of another turn, found in a context variable", mark, None)
        others = [other.removeprefix("wait ") for other in target.found if other != text]
        k.equal("variables that hold something of another turn", _holding(context, others), [])


def _holding(context: Context, texts: list[str]) -> list[str]:
    """Names of the variables in whose value one of `texts` can be read; those of the kit itself are left out."""
    own = copy_context()
    return [
        variable.name
        for variable, value in context.items()
        if variable not in own and variable is not _turn and any(text in repr(value) for text in texts)
    ]


async def _rest() -> None:
    await asyncio.sleep(0.3)
