"""Measures what the model stands on: turns of core's agent through the Responses channel, on a file and on a server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from hosting.state.expiry import sweep

from .. import postgres
from ..hosted import ANSWER
from ..load import Load, put_load
from ..places import Place, place
from ..rates import Rates
from ..scenarios.store_operations import CommitOfTurn
from ..servers import App, Server, serving
from .figures import Figures, StoreName
from .partitions import partition

PARTITIONS = 16

_LATER_MS = 40 * 86_400_000
_CONNECTIONS = 16
_SECONDS = 600.0
_QUESTION = "What is the weather in the next town, and should I take an umbrella?"


def figures_of(store: StoreName, *, conversations: int, turns: int) -> Figures:
    """The figures of one store, of so many conversations with so many turns each."""
    if store == "sqlite":
        found = _measured("agent-sqlite", conversations, turns)
        return _figures(store, found, writer_us=asyncio.run(_writer_us(conversations * turns)))
    whole = _measured("agent-postgres", conversations, turns)
    split = _measured("agent-postgres", conversations, turns, prepare=_split)
    return _figures(store, whole, partitioned_cost=split.database_cpu_us / whole.database_cpu_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was read; the first five are of one turn."""

    turn_cpu_us: float
    database_cpu_us: float
    log_bytes: float
    stored_bytes: float
    kept_bytes: float
    process_bytes: float
    session_bytes: float
    swept: float
    turns: int


def _figures(
    store: StoreName, found: _Found, *, writer_us: float = 0.0, partitioned_cost: float = 1.0
) -> Figures:
    return Figures(
        store=store,
        turn_cpu_us=found.turn_cpu_us,
        database_cpu_us=found.database_cpu_us,
        writer_us=writer_us,
        log_bytes=found.log_bytes,
        kept_bytes=found.kept_bytes,
        passing_bytes=max(0.0, found.stored_bytes - found.kept_bytes),
        process_bytes=found.process_bytes,
        session_bytes=found.session_bytes,
        swept=found.swept,
        partitioned_cost=partitioned_cost,
    )


def _measured(
    app: App, conversations: int, turns: int, *, prepare: Callable[[Place], None] | None = None
) -> _Found:
    empty: list[int] = []

    def begin(found: Place) -> None:
        asyncio.run(_make_schema(found))
        if prepare is not None:
            prepare(found)
        empty.append(found.used_bytes())

    with serving(app, "uvicorn", prepare=begin) as server:
        _turns(server, 1, _CONNECTIONS, name="warm")
        resident, before = server.resident_bytes(), _counters(server)
        answers = _turns(server, conversations, conversations, name="c")
        session_bytes = (server.resident_bytes() - resident) / conversations
        answers += _turns(server, conversations, conversations * (turns - 1), name="c")
        after = _counters(server)
        stored = (server.place.used_bytes() - empty[0]) / answers
        server.process.suspend()  # it must not sweep, too
        swept = asyncio.run(_sweep(server.place, answers))
        server.process.resume()
        kept = (_compacted(server) - empty[0]) / answers
    return _Found(
        turn_cpu_us=(after[0] - before[0]) * 1e6 / answers,
        database_cpu_us=(after[1] - before[1]) * 1e6 / answers,
        log_bytes=(after[2] - before[2]) / answers,
        stored_bytes=stored,
        kept_bytes=max(0.0, kept),
        process_bytes=resident,
        session_bytes=max(0.0, session_bytes),
        swept=swept,
        turns=answers,
    )


def _turns(server: Server, conversations: int, count: int, *, name: str) -> int:
    """So many turns, conversations in turn."""
    bodies = [
        json.dumps({"model": "helper", "input": _QUESTION, "conversation": f"{name} {number}"})
        for number in range(conversations)
    ]
    return put_load(
        Load(
            port=server.port,
            bodies=bodies,
            connections=_CONNECTIONS,
            seconds=_SECONDS,
            requests=count,
            expected=['"completed"', ANSWER],
        )
    ).answers


def _counters(server: Server) -> tuple[float, float, float]:
    """Processor seconds of the host and of the database, and bytes of the log, all so far."""
    cpu, where = server.cpu_seconds(), server.place.where
    if server.place.kind == "sqlite":
        return cpu, 0.0, server.process.io_counters().write_bytes
    (log,) = postgres.run("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")[0]
    return cpu, _database_seconds(where), float(log)


def _database_seconds(application: str) -> float:
    """Processor time of the server's processes for our connections; it must be on this machine."""
    found = postgres.run(f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'")
    used = [psutil.Process(pid).cpu_times() for (pid,) in found]
    return sum(times.user + times.system for times in used)


async def _make_schema(found: Place) -> None:
    store = found.store()
    await store.open()
    await store.close()


def _split(found: Place) -> None:
    partition(found.where, PARTITIONS)


async def _sweep(found: Place, turns: int) -> float:
    """Turns per second whose passing rows are removed."""
    store = found.store()
    await store.open()
    later = time.time_ns() // 1_000_000 + _LATER_MS
    begun = time.perf_counter()
    while await sweep(store, later):
        pass
    spent = time.perf_counter() - begun
    await store.close()
    return turns / spent


def _compacted(server: Server) -> int:
    server.process.terminate()
    server.process.wait(30)
    server.place.compact()
    return server.place.used_bytes()


async def _writer_us(units: int) -> float:
    """Time that the one writer of a file takes for a turn's commit, while several wait."""
    rates = Rates()
    with place("sqlite") as found:
        store = found.store()
        await store.open()
        await rates.add(CommitOfTurn(store).step, callers=_CONNECTIONS, calls=units)
        await store.close()
    return 1e6 / rates.per_second[0]
