"""What `hosting doctor` looks at, one finding per check. None of them holds a secret or a message's text."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..clock import TimeSource, epoch_ms
from ..state.base import HostStateStore
from ..state.database import Database, connect
from ..state.errors import StateError
from ..state.sqlite import SqliteHostStateStore
from ..state.tables import events, instances, outbox, records, tasks
from .stores import check_version, opened

_LEAST_FREE = 256 * 1024 * 1024
_MOST_SKEW = 2.0
"""Seconds; hosts judge each other's leases of 15 s by their own clocks."""

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        check: Its name.
        ok: Whether all is well.
        said: One line for people.
        values: The same for programs.
    """

    check: str
    ok: bool
    said: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        return {"check": self.check, "ok": self.ok, "said": self.said, **self.values}


async def examine(store: HostStateStore, *, clock: TimeSource, max_wait: float) -> list[Finding]:
    """All findings; those that need an open store are left out where it cannot be opened."""
    findings: list[Finding] = []
    try:
        findings.append(await _schema(store))
        if isinstance(store, SqliteHostStateStore):
            findings.append(await asyncio.to_thread(_disk, store.path.parent))
            findings.append(await asyncio.to_thread(_whole, store.path))
        async with opened(store):
            findings += [finding async for finding in _open_findings(store, clock, max_wait)]
    except StateError as error:
        findings.append(Finding("store", False, str(error)))
    return findings


async def _schema(store: HostStateStore) -> Finding:
    version = await check_version(store)
    if version is None:
        return Finding("schema", True, "the store does not say its version")
    return Finding("schema", True, f"version {version}, that of this release", {"version": version})


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free // _MIB} MiB free"
    if free < _LEAST_FREE:
        said += f", expected at least {_LEAST_FREE // _MIB}: a full disk stops every turn"
    return Finding("disk", free >= _LEAST_FREE, said, {"free_bytes": free})


def _whole(path: Path) -> Finding:
    database = Database(
        connect(f"{path.absolute().as_uri()}?mode=ro", busy_timeout=10.0, uri=True), str(path)
    )
    try:
        database.check()
    finally:
        database.close()
    return Finding("file", True, "every page was read, none is damaged")


async def _open_findings(store: HostStateStore, clock: TimeSource, max_wait: float) -> AsyncIterator[Finding]:
    yield Finding("store", True, store.describe())
    yield await _write(store, clock)
    yield await _clock(store, clock)
    now = epoch_ms(clock)
    live, queue, oldest, sends, durable = await store.execute(
        instances.count_instances(now_ms=now),
        events.count_events(),
        events.oldest_waiting_event(),
        outbox.count_deliveries(),
        tasks.count_tasks(),
    )
    hosts = instances.read_number(live) or 0
    yield Finding("hosts", True, f"{hosts} running", {"running": hosts})
    counts, sent, tried = (events.read_counts(rows) for rows in (queue, sends, durable))
    yield Finding("events", True, _in_words(counts), {"counts": counts})
    yield _waiting(events.read_claimed_ms(oldest), now, hosts, max_wait)
    yield Finding("deliveries", True, _in_words(sent), {"counts": sent})
    yield Finding("tasks", True, _in_words(tried), {"counts": tried})
    yield _lost(
        events=counts.get("dead", 0),
        deliveries=sent.get("dead", 0),
        unknown=sent.get("unknown", 0),
        tasks=tried.get("failed", 0),
    )


async def _write(store: HostStateStore, clock: TimeSource) -> Finding:
    """One small write and its removal, in one transaction."""
    record = ("hosting.doctor", "probe")
    try:
        await store.execute(
            records.put_record(*record, "1", now_ms=epoch_ms(clock)), records.delete_record(*record)
        )
    except StateError as error:
        return Finding("write", False, str(error))
    return Finding("write", True, "a record could be written")


async def _clock(store: HostStateStore, clock: TimeSource) -> Finding:
    rows = (await store.execute(instances.load_clock()))[0]
    ahead = clock.now() - instances.read_clock(rows).timestamp()
    ok = abs(ahead) <= _MOST_SKEW
    said = f"{abs(ahead):.1f} s {'ahead of' if ahead >= 0 else 'behind'} the store's"
    if not ok:
        said += f", expected at most {_MOST_SKEW:g} s: keep the clocks of all machines in step (NTP)"
    return Finding("clock", ok, said, {"seconds_ahead": round(ahead, 3)})


def _waiting(claimed: int | None, now: int, hosts: int, max_wait: float) -> Finding:
    if claimed is None:
        return Finding("waiting", True, "no event waits", {"seconds": 0})
    seconds = max(0.0, (now - claimed) / 1000)
    said, ok = f"the oldest event has waited {seconds:.0f} s", True
    if not hosts:
        said, ok = f"{said}, and no host runs", False
    elif seconds > max_wait:
        said, ok = f"{said}, expected at most {max_wait:g} s", False
    return Finding("waiting", ok, said, {"seconds": round(seconds)})


def _lost(**counts: int) -> Finding:
    values = dict(counts)
    if not any(values.values()):
        return Finding("dead", True, "nothing was given up", values)
    said = (
        "given up: {events} events, {deliveries} deliveries, {tasks} tasks; {unknown} deliveries may not have arrived"
    ).format_map(values)
    return Finding("dead", False, f"{said}; see hosting dead-letters list", values)


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "none"
