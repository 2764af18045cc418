"""Statements and looks that the checks have in common."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from hosting import HostStateStore
from hosting.state import Statement
from hosting.state.tables import events, history, instances, records, turns

from .place import StorePlace

NOW = 1_000


@asynccontextmanager
async def opened(place: StorePlace) -> AsyncGenerator[HostStateStore]:
    """A store on the place's state, closed behind."""
    store = place.store()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def replicas(place: StorePlace, number: int) -> AsyncGenerator[list[HostStateStore]]:
    """Several stores on one state where that may be, else one store several times."""
    if not place.is_shared:
        async with opened(place) as store:
            yield [store] * number
        return
    stores = [place.store() for _ in range(number)]
    for store in stores:
        await store.open()
    try:
        yield stores
    finally:
        for store in stores:
            await store.close()


def put(key: str, value: str = "1", *, expires_ms: int | None = None) -> Statement:
    """Writes a record."""
    return records.put_record("suite", key, value, now_ms=NOW, expires_ms=expires_ms)


def get(key: str) -> Statement:
    """Reads one."""
    return records.get_record("suite", key, now_ms=NOW)


def miss() -> Statement:
    """Changes no row and must change one."""
    return turns.retry_turn("nobody", 1)


def broken() -> Statement:
    """Breaks a constraint: its parent does not exist."""
    (statement,), _ = history.append_messages(parent_id="nobody", turn_id="t", messages=["{}"], now_ms=NOW)
    return statement


async def keys(store: HostStateStore) -> list[str]:
    """All records, in the store's order."""
    return [key for key, _ in await pairs(store)]


async def pairs(store: HostStateStore) -> list[tuple[str, str]]:
    """All records with their values, in the store's order."""
    (rows,) = await store.execute(records.scan_records("suite", limit=1_000_000, now_ms=NOW))
    return [(record.key, record.value) for record in records.read_records(rows)]


def claim(delivery: str, lane: str | None) -> Statement:
    """Claims an event."""
    return events.claim_event(
        channel="c", delivery_id=delivery, lane=lane, payload="{}", now_ms=NOW, expires_ms=NOW + 1
    )


async def take(store: HostStateStore, owner: str = "host", *, limit: int = 100) -> list[events.TakenEvent]:
    """Takes events for a host."""
    (rows,) = await store.execute(events.take_events(owner, now_ms=NOW, limit=limit))
    return events.read_events(rows)


def alive(*owners: str) -> Iterable[Statement]:
    """Hosts whose lease lasts."""
    return [instances.keep_instance(owner, now_ms=NOW, until_ms=NOW + 1) for owner in owners]
