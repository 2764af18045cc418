"""The cost of a turn while its conversation grows: core's own agent on the host's history and on core's in-memory one.

The whole conversation goes to the model in every turn, so some growth is core's own; the host should add none.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_framework import Agent, InMemoryHistoryProvider, Message

from hosting_testkit.targets import ScriptedChatClient

from ..cost import Costs, compared, measured
from ..in_process import STATES, State, hosting, turn_in
from ..scale import Scale
from ..stats import Row

TITLE = "cost of a turn by the length of its conversation, on core's Agent"
WINDOW = 10
"""Turns over which the cost at one length is read."""


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    return [row for state in STATES for row in await _state(state, scale)]


async def _state(state: State, scale: Scale) -> list[Row]:
    host_costs = {length: Costs() for length in scale.lengths}
    core_costs = {length: Costs() for length in scale.lengths}
    ends = time.monotonic() + scale.longest / len(STATES)
    async with hosting(_agent(), state) as host:
        for number in range(scale.conversations):
            core, session = _agent(InMemoryHistoryProvider()), f"conversation {number}"
            core_session = core.create_session()
            sides = [
                _Conversation(
                    lambda turn, name=session: host.run(turn_in(name, _question(turn))), host_costs
                ),
                _Conversation(
                    lambda turn, agent=core, own=core_session: agent.run(_question(turn), session=own),
                    core_costs,
                ),
            ]
            await _grow(sides, scale.lengths)
            if time.monotonic() > ends:
                break
    return [
        row
        for length in scale.lengths
        for row in compared(
            f"{state}: {length} turns", host_costs[length], core_costs[length], beside="core, in memory"
        )
    ]


def _agent(*providers: InMemoryHistoryProvider) -> Agent[Any]:
    return Agent(
        client=ScriptedChatClient(script=_answer, keep=1), name="helper", context_providers=[*providers]
    )


# Every text is another: core's in-memory provider takes equal messages for one and the same.


def _question(turn: int) -> str:
    return f"Question {turn}: what is the weather in the next town, and should I take an umbrella?"


def _answer(messages: Sequence[Message], options: Mapping[str, Any]) -> str:
    return f"Answer {len(messages)}: it is going to rain in the afternoon, so an umbrella will do no harm."


@dataclass(slots=True)
class _Conversation:
    turn: Callable[[int], Awaitable[object]]
    costs: dict[int, Costs]
    turns: int = field(default=0)

    async def grow(self, length: int) -> None:
        while self.turns < length:
            await self.turn(self.turns)
            self.turns += 1

    async def read(self, length: int) -> None:
        """The cost of the turns up to `length`."""
        begun = self.turns
        await self.costs[length].add(lambda number: self.turn(begun + number), length - begun)
        self.turns = length


async def _grow(sides: Sequence[_Conversation], lengths: Sequence[int]) -> None:
    for length in lengths:
        for side in sides:
            await side.grow(max(side.turns, length - WINDOW))
        for side in sides:
            await side.read(length)
