"""The units that hosts run most, on each store, with several callers at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol

from hosting import RandomIds
from hosting.state import HostStateStore, Statement
from hosting.state.tables import events, history, instances, outbox, sessions, snapshots, turns

from ..cost import measured
from ..places import StoreKind, durable_kinds, place
from ..rates import Rates, compared_rates
from ..scale import Scale
from ..stats import Row

TITLE = "units of the state store per second, with several callers at once"

_OWNER = "somebody"
_HOST = "host_of_the_benchmark"
_LONG_AGO, _NOW, _FAR = 1, 1_700_000_000_000, 2**53
_MESSAGE = (
    '{"type":"message","role":"user","contents":[{"type":"text","text":"' + "a few words, " * 20 + '"}]}'
)
_BATCH = 500
_AT_ONCE = 32
"""Replies that a host takes at once."""

_STORED = 10
"""Turns of the conversation that a load brings back."""


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    rows: list[Row] = []
    for name, operation in _OPERATIONS.items():
        rows += await _compare(name, operation, scale)
    return rows


class _Operation(Protocol):
    """One kind of unit.

    `prepare` brings what one round needs, `step` is what is measured.
    """

    def __init__(self, store: HostStateStore) -> None: ...

    async def prepare(self, callers: int, calls: int) -> None: ...

    async def step(self, caller: int, number: int) -> None: ...


async def _compare(name: str, operation: Callable[[HostStateStore], _Operation], scale: Scale) -> list[Row]:
    kinds: list[StoreKind] = ["memory", *durable_kinds()]
    rates = {kind: Rates() for kind in kinds}
    ends = time.monotonic() + scale.longest / 8
    async with AsyncExitStack() as stack:
        stores = {kind: stack.enter_context(place(kind)).store() for kind in kinds}
        operations = {kind: operation(store) for kind, store in stores.items()}
        for store in stores.values():
            await store.open()
            stack.push_async_callback(store.close)
            await store.execute(instances.keep_instance(_HOST, now_ms=_NOW, until_ms=_FAR))
        for kind in kinds:
            await _round(operations[kind], Rates(), scale)
        for _ in range(scale.rounds):
            for kind in kinds:
                await _round(operations[kind], rates[kind], scale)
            if time.monotonic() > ends:
                break
    return [
        row
        for kind in kinds[1:]
        for row in compared_rates(f"{kind}, {name}", "unit", rates[kind], rates["memory"], beside="memory")
    ]


async def _round(operation: _Operation, rates: Rates, scale: Scale) -> None:
    await operation.prepare(scale.connections, scale.operations)
    await rates.add(operation.step, callers=scale.connections, calls=scale.operations)


class ClaimOfEvent:
    """A platform event is claimed and stored (contract 4.3)."""

    def __init__(self, store: HostStateStore) -> None:
        self._store = store
        self._numbers = itertools.count()

    async def prepare(self, callers: int, calls: int) -> None:
        return

    async def step(self, caller: int, number: int) -> None:
        await self._store.execute(
            events.claim_event(
                channel="bot",
                delivery_id=f"event {next(self._numbers)}",
                lane=f"lane {caller}",
                payload=_MESSAGE,
                now_ms=_NOW,
                expires_ms=_FAR,
            )
        )


class CommitOfTurn:
    """A turn ends: two messages, its session, a snapshot, the turn itself (contract 4.4)."""

    def __init__(self, store: HostStateStore) -> None:
        self._store = store
        self._ids = RandomIds()
        self._heads: dict[int, tuple[str, int, str | None]] = {}

    async def prepare(self, callers: int, calls: int) -> None:
        return

    async def step(self, caller: int, number: int) -> None:
        session, fence, parent = self._heads.get(caller) or (self._ids.new("sess"), 0, None)
        turn = self._ids.new("turn")
        unit, head = turn_unit(session, fence, parent, turn, key=f"session {caller}")
        await self._store.execute(*unit)
        self._heads[caller] = (session, fence + 1, head)


class LoadOfSession:
    """A session comes back with the last messages of its conversation (contract 6.2)."""

    def __init__(self, store: HostStateStore) -> None:
        self._store = store

    async def prepare(self, callers: int, calls: int) -> None:
        for caller in range(callers):
            loaded = await self._store.execute(sessions.load_session(_OWNER, f"session {caller}"))
            if sessions.read_session(loaded[0]) is None:
                commit = CommitOfTurn(self._store)
                for number in range(_STORED):
                    await commit.step(caller, number)

    async def step(self, caller: int, number: int) -> None:
        rows = await self._store.execute(sessions.load_session(_OWNER, f"session {caller}"))
        stored = sessions.read_session(rows[0])
        assert stored is not None and stored.head is not None
        await self._store.execute(history.load_history(stored.head))


class ReplyFromOutbox:
    """Replies are taken from the outbox, several at once as a host does, and the end of each is noted (contract 4.7)."""

    def __init__(self, store: HostStateStore) -> None:
        self._store = store
        self._numbers = itertools.count()
        self._taken: deque[outbox.Delivery] = deque()
        self._taking = asyncio.Lock()

    async def prepare(self, callers: int, calls: int) -> None:
        rows = [self._row(next(self._numbers)) for _ in range(calls)]
        for start in range(0, calls, _BATCH):
            await self._store.execute(*rows[start : start + _BATCH])

    def _row(self, number: int) -> Statement:
        return outbox.add_delivery(
            id=f"delivery {number}",
            turn_id=f"turn {number}",
            channel="bot",
            destination="{}",
            lane=f"lane {number}",
            payload=_MESSAGE,
            now_ms=_NOW,
            due_ms=_LONG_AGO,
            expires_ms=_FAR,
        )

    async def step(self, caller: int, number: int) -> None:
        async with self._taking:
            if not self._taken:
                rows = await self._store.execute(outbox.take_deliveries(_HOST, now_ms=_NOW, limit=_AT_ONCE))
                self._taken.extend(outbox.read_deliveries(rows[0]))
            delivery = self._taken.popleft()
        await self._store.execute(outbox.end_delivery(delivery.id, delivery.attempts, "sent", now_ms=_NOW))


def turn_unit(
    session: str, fence: int, parent: str | None, turn: str, *, key: str
) -> tuple[list[Statement], str | None]:
    """What the commit of a turn of an agent writes, and the new end of its conversation."""
    rows, head = history.append_messages(
        parent_id=parent, turn_id=turn, messages=[_MESSAGE, _MESSAGE], now_ms=_NOW
    )
    if fence:
        saved = sessions.save_session(session_id=session, fence=fence, head=head, now_ms=_NOW)
    else:
        saved = sessions.create_session(
            isolation_key=_OWNER, key=key, session_id=session, head=head, now_ms=_NOW
        )
    ended = turns.add_ended_turn(
        turn_id=turn,
        channel="direct",
        caller=_OWNER,
        session_id=session,
        response_id=turn,
        status="completed",
        attempt=1,
        record="{}",
        error_code=None,
        now_ms=_NOW,
        expires_ms=_FAR,
    )
    kept = snapshots.add_snapshot(session_id=session, turn_id=turn, head=head, state="{}", now_ms=_NOW)
    return [*rows, saved, kept, ended], head


_OPERATIONS: Mapping[str, Callable[[HostStateStore], _Operation]] = {
    "claim of an event": ClaimOfEvent,
    "commit of a turn": CommitOfTurn,
    "load of a session": LoadOfSession,
    "take and end of a reply": ReplyFromOutbox,
}
