"""What keeping the conversation costs a turn, without the agent: read, add, save, commit."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agent_framework import AgentSession, InMemoryHistoryProvider, Message

from hosting import HostHistoryProvider, RandomIds, SystemTime
from hosting.sessions.book import SessionBook
from hosting.sessions.history import HistoryTurn
from hosting.sessions.names import SessionName
from hosting.state import HostStateStore

from ..cost import Costs, compared, measured
from ..in_process import OWNER
from ..places import StoreKind, durable_kinds, place
from ..scale import Scale
from ..stats import Row, Series
from .conversation_length import answer, question, said, store_conversation

TITLE = "what keeping the conversation costs a turn: HostHistoryProvider, warm, and its commit"
_FOR_GOOD = 10**15
LIMIT_US = 3_000.0
"""What a turn may cost at 2 000 turns."""

_TURNS = 20
_Step = Callable[[int], Awaitable[object]]


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    rows: list[Row] = []
    for kind in durable_kinds():
        for length in scale.lengths:
            rows += await _compare(kind, length, scale)
    return rows


async def _compare(kind: StoreKind, length: int, scale: Scale) -> list[Row]:
    ours, theirs, ends = Costs(), Costs(), time.monotonic() + scale.longest / 8
    with place(kind) as found:
        store = found.store()
        await store.open()
        try:
            await store_conversation(store, "conversation", said(length))
            host, core = _host(store), await _core(length)
            for step in (host, core):
                await step(0)
            for round in range(scale.rounds):
                for costs, step in ((ours, host), (theirs, core)):
                    await costs.add(lambda number, step=step, begun=round: step(begun + number), _TURNS)
                if time.monotonic() > ends:
                    break
        finally:
            await store.close()
    case = f"{kind}: {length:,} turns"
    limit = Row(
        case=case,
        unit="us/turn",
        host=Series(ours.wall_us),
        other=Series([LIMIT_US for _ in ours.wall_us]),
        beside="the limit",
        target=1.0,
    )
    return [*compared(case, ours, theirs, beside="core, in memory, saved as JSON"), limit]


def _host(store: HostStateStore) -> _Step:
    """Ours: the provider, and the session's part of the commit."""
    provider, ids, name = HostHistoryProvider(), RandomIds(), SessionName(OWNER, "conversation")
    book = SessionBook(store, clock=SystemTime(), ids=ids, cache=10)

    async def step(number: int) -> None:
        live = await book.open(name)
        turn, session_id = HistoryTurn(live.head), live.session.session_id
        provider.bind(session_id, turn)
        await provider.get_messages(session_id)
        await provider.save_messages(session_id, _exchange(number))
        provider.release(session_id)
        save = book.save(
            live,
            turn_id=ids.new("turn"),
            added=turn.added,
            snapshot=True,
            expires_ms=None,
            snapshot_expires_ms=_FOR_GOOD,
        )
        await store.execute(*save.statements)
        book.saved(live, save)

    return step


async def _core(length: int) -> _Step:
    """Core's: the provider, and the session as JSON, for somebody else to store."""
    provider, session = InMemoryHistoryProvider(), AgentSession()
    state: dict[str, Any] = session.state.setdefault(provider.source_id, {})
    await provider.save_messages(session.session_id, said(length), state=state)

    async def step(number: int) -> None:
        await provider.get_messages(session.session_id, state=state)
        await provider.save_messages(session.session_id, _exchange(length + number), state=state)
        json.dumps(session.to_dict())

    return step


def _exchange(number: int) -> Sequence[Message]:
    return (
        Message("user", [question(number)], message_id=f"user {number}"),
        Message("assistant", [answer([None] * number, {})], message_id=f"assistant {number}"),
    )
