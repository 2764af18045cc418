"""Runs that go on without their caller, as rules ask for them, ask after them and read them (contract 12)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from ..drivers.turn import Inbound, Turn
from ..drivers.wire import Reply
from ..targets.gate import Gates
from .hosted import HostedChannel, ask_driver
from .replies import OpenReply

ENDS = ("completed", "incomplete", "failed", "cancelled", "input_required")
"""How a run can end (contract 12.1)."""

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class LaterRun:
    """One run, as its caller knows it.

    Args:
        h: Where the caller asks.
        turn: What was asked; `turn.user` asks on.
        token: What the answer calls the run.
    """

    h: HostedChannel
    turn: Turn
    token: str

    def at(self, h: HostedChannel) -> LaterRun:
        """The same run, asked after at another host."""
        return replace(self, h=h)

    def by(self, user: str) -> LaterRun:
        """The same run, asked after by somebody else."""
        return replace(self, turn=self.turn.replace(user=user))

    def called(self, token: str) -> LaterRun:
        """Another token, asked after by the same caller."""
        return replace(self, token=token)

    async def poll(self) -> Reply:
        """The answer to the question where it stands."""
        return await self._told(
            lambda: self.h.driver.retrieve(self.turn, self.token), "retrieve(turn, token)"
        )

    async def standing(self) -> str:
        """Where it stands; the status of the answer where it is refused."""
        return standing_of(self.h, await self.poll())

    async def withdraw(self) -> Reply:
        """The answer to its cancellation."""
        return await self._told(
            lambda: self.h.driver.withdraw(self.turn, self.token), "withdraw(turn, token)"
        )

    async def events(self, after: int | None = None) -> Reply:
        """Its events behind a number, to their end."""
        return await self._told(lambda: self._resume(after), "resume(turn, token, after)")

    def reading(self, after: int | None = None) -> AbstractAsyncContextManager[OpenReply]:
        """Its events behind a number, as they come."""
        return self.h.open(ask_driver(lambda: self._resume(after), "resume(turn, token, after)"))

    async def ended(self) -> Reply:
        """What a poll finds once it has ended, or after two minutes."""
        reply = await self.poll()
        for _ in range(_LONGEST):
            if standing_of(self.h, reply) not in ("queued", "running"):
                break
            reply = await self.poll()
        return reply

    def _resume(self, after: int | None) -> Inbound:
        return self.h.driver.resume(self.turn, self.token, after)

    async def _told(self, inbound: Callable[[], Inbound], name: str) -> Reply:
        wire = await self.h.wire(ask_driver(inbound, name))
        return Reply(wire, await self.h.decode(wire))


async def ask_for_later(h: HostedChannel, text: str, **fields: Any) -> LaterRun:
    """A run in the background."""
    turn = Turn(text=text, background=True, **fields)
    wire = await h.wire(h.inbound(turn))
    return LaterRun(h, turn, token_of(h, Reply(wire, await h.decode(wire))))


def token_of(h: HostedChannel, reply: Reply) -> str:
    """What an answer calls its run."""
    return ask_driver(lambda: h.driver.token(reply), "token(reply)")


def standing_of(h: HostedChannel, reply: Reply) -> str:
    """Where a run stands, as an answer tells it; the status of the answer where it is a refusal."""
    if reply.status >= 400:
        return f"refused with {reply.status}"
    return ask_driver(lambda: h.driver.standing(reply), "standing(reply)")


async def begins(gates: Gates, name: str, times: int = 1) -> bool:
    """Whether so many runs come to a gate in five virtual seconds."""
    try:
        await gates.reached(name, times)
    except AssertionError:
        return False
    return True
