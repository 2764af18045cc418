"""A target that plays a script (conformance kit 4.13)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Self

from agent_framework import AgentResponse, AgentResponseUpdate

from .agent import FakeAgent, Run, Updates
from .gate import Gates
from .steps import Delta, Fail, NextMessage, Piece, Said, Sleep, Step, Stop, Turn


async def play(turn: Turn, gates: Gates) -> AsyncGenerator[Piece | NextMessage, None]:
    """Plays `turn`: waits and raises where it says so, yields what it says."""
    for step in turn:
        match step:
            case Sleep(seconds):
                await asyncio.sleep(seconds)
            case Stop(point):
                await gates.stop(point)
            case Fail(error):
                raise error
            case NextMessage():
                yield step
            case _:
                said: Said = Delta(step) if isinstance(step, str) else step
                for piece in said.pieces():
                    yield piece


class Scripted(FakeAgent):
    """Plays its steps in every run; see `steps`. `Scripted("a", "b")` streams two deltas.

    `Scripted.turns([...], [...])` plays another turn in each run and repeats the last one. Which turn comes next is
    kept in `session.state`, so it goes on after a restart; runs without a session are counted by the agent.

    Attributes:
        gates: The points at which `steps.Stop` waits.
    """

    STATE = "scripted"

    def __init__(self, *steps: Step, name: str | None = None) -> None:
        super().__init__(name=name)
        self.gates = Gates()
        self._turns: Sequence[Turn] = [steps]
        self._played = 0

    @classmethod
    def turns(cls, first: Turn | str, *others: Turn | str, name: str | None = None) -> Self:
        """A script of several turns; a string is a turn of one delta."""
        agent = cls(name=name)
        agent._turns = [[turn] if isinstance(turn, str) else turn for turn in (first, *others)]
        return agent

    async def answer(self, run: Run) -> Updates:
        message = 1
        async with aclosing(play(self._next_turn(run), self.gates)) as pieces:
            async for piece in pieces:
                if isinstance(piece, NextMessage):
                    message += 1
                else:
                    yield run.update(
                        *piece.contents,
                        role=piece.role,
                        message=message,
                        finish_reason=piece.finish_reason,
                        raw=piece,
                    )

    def fold(self, updates: Sequence[AgentResponseUpdate]) -> AgentResponse[Any]:
        pieces = (update.raw_representation for update in updates)
        values = [piece.value for piece in pieces if isinstance(piece, Piece) and piece.value is not None]
        return AgentResponse[Any].from_updates(updates, value=values[-1] if values else None)

    def _next_turn(self, run: Run) -> Turn:
        if run.session is None:
            played = self._played
            self._played += 1
        else:
            played: int = run.session.state.get(self.STATE, 0)
            run.session.state[self.STATE] = played + 1
        return self._turns[min(played, len(self._turns) - 1)]
