"""The cost of a turn while its conversation grows, on core's own agent, and what share of it is the host's.

The whole conversation goes to the model in every turn, so most of the growth is core's own: the same agent with the
history at hand, which loads and saves nothing, shows how much.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_framework import Agent, AgentSession, HistoryProvider, InMemoryHistoryProvider, Message

from hosting import AgentFrameworkHost, RandomIds
from hosting.sessions.history import encode_message
from hosting.state import HostStateStore
from hosting.state.tables import history, sessions
from hosting_testkit.targets import ScriptedChatClient

from ..cost import Costs, compared, measured
from ..in_process import OWNER, STATES, State, hosting_at, turn_in
from ..places import place
from ..scale import Scale
from ..stats import Row

TITLE = "cost of a turn by the length of its conversation, on core's Agent"
WINDOW = 10
"""Turns over which the cost at one length is read."""

_NOW = 1_700_000_000_000
_BATCH = 500


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    ends = time.monotonic() + scale.longest
    rows: list[Row] = []
    for state in STATES:
        for length in scale.lengths:
            rows += await _compare(state, length, scale, ends)
    return rows


async def _compare(state: State, length: int, scale: Scale, ends: float) -> list[Row]:
    ours, theirs, bare = Costs(), Costs(), Costs()
    with place(state) as found:
        store = found.store()
        await store.open()
        for number in range(scale.conversations):
            await store_conversation(store, f"conversation {number}", said(length - WINDOW))
        async with hosting_at(_agent(), found, store=store) as host:
            for number in range(scale.conversations):
                before = said(length - WINDOW)
                sides = (
                    (ours, _hosted(host, f"conversation {number}")),
                    (theirs, await _in_memory(before)),
                    (bare, _at_hand(before)),
                )
                for costs, run in sides:
                    await _read(costs, run, max(0, length - WINDOW))
                if time.monotonic() > ends:
                    break
    case = f"{state}: {length:,} turns"
    return [
        *compared(case, ours, theirs, beside="core, in memory"),
        compared(case, ours, bare, beside="core, history at hand")[0],
    ]


async def _read(costs: Costs, run: _Run, begun: int) -> None:
    """One turn to warm up, which loads the conversation, and then a reading over a few."""
    await run(question(begun))
    await costs.add(lambda number: run(question(begun + 1 + number)), WINDOW - 1)


_Run = Callable[[str], Awaitable[object]]


def _hosted(host: AgentFrameworkHost, key: str) -> _Run:
    """The same agent behind the host, on the host's history."""
    return lambda text: host.run(turn_in(key, text))


async def _in_memory(before: Sequence[Message]) -> _Run:
    """Core's agent on core's own history."""
    provider, session = InMemoryHistoryProvider(), AgentSession()
    state: dict[str, Any] = session.state.setdefault(provider.source_id, {})
    await provider.save_messages(session.session_id, before, state=state)
    agent = _agent(provider)
    return lambda text: agent.run(text, session=session)


def _at_hand(before: Sequence[Message]) -> _Run:
    """Core's agent on messages that are there already."""
    session, agent = AgentSession(), _agent(_AtHand(before))
    return lambda text: agent.run(text, session=session)


@dataclass(eq=False)
class _AtHand(HistoryProvider):
    """Costs nothing: it has the messages and keeps references to new ones."""

    before: Sequence[Message]
    messages: list[Message] = field(init=False)

    def __post_init__(self) -> None:
        super().__init__("at_hand")
        self.messages = [*self.before]

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        return self.messages

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.messages.extend(messages)


async def store_conversation(store: HostStateStore, key: str, messages: Sequence[Message]) -> None:
    """Puts a conversation into a store, as one turn."""
    texts = [encode_message(message) for message in messages]
    rows, head = history.append_messages(
        parent_id=None, turn_id=f"turn of {key}", messages=texts, now_ms=_NOW
    )
    for start in range(0, len(rows), _BATCH):
        await store.execute(*rows[start : start + _BATCH])
    await store.execute(
        sessions.create_session(
            isolation_key=OWNER, key=key, session_id=RandomIds().new("sess"), head=head, now_ms=_NOW
        )
    )


def said(turns: int) -> list[Message]:
    """The messages of so many turns."""
    return [
        message
        for turn in range(turns)
        for message in (
            Message("user", [question(turn)]),
            Message("assistant", [answer([None] * (2 * turn + 1), {})]),
        )
    ]


def _agent(*providers: HistoryProvider) -> Agent[Any]:
    return Agent(
        client=ScriptedChatClient(script=answer, keep=1), name="helper", context_providers=[*providers]
    )


# Every text is another: core's in-memory provider takes equal messages for one and the same.


def question(turn: int) -> str:
    """What is asked in a turn."""
    return f"Question {turn}: what is the weather in the next town, and should I take an umbrella?"


def answer(messages: Sequence[object], options: Mapping[str, Any]) -> str:
    """What the model answers to so many messages."""
    return f"Answer {len(messages)}: it is going to rain in the afternoon, so an umbrella will do no harm."
