"""Fills a place with sessions that look as turns leave them, past the store's statements: a million in a minute."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import psycopg

from . import postgres
from .places import Place

_CHUNK = 20_000
_DAY_MS = 24 * 3_600_000

_Cells = tuple[Any, ...]

_COLUMNS: dict[str, Sequence[str]] = {
    "history": ("id", "parent_id", "turn_id", "message", "created_ms"),
    "sessions": ("isolation_key", "key", "session_id", "head", "fence", "updated_ms"),
    "session_states": ("session_id", "state"),
    "snapshots": ("session_id", "turn_id", "head", "state", "created_ms"),
    "turns": (
        "turn_id",
        "channel",
        "caller",
        "scope",
        "session_id",
        "response_id",
        "status",
        "attempt",
        "seen",
        "record",
        "created_ms",
        "finished_ms",
        "expires_ms",
    ),
}


def seed_sessions(place: Place, numbers: range, *, owner: str) -> None:
    """Stores a session `session <number>` of one turn for each number; the schema must exist.

    Args:
        place: A file or a schema; memory has no other way in than its store.
        numbers: Which.
        owner: Whose they are.
    """
    now = time.time_ns() // 1_000_000
    for table, columns in _COLUMNS.items():
        rows = (row for number in numbers for row in _rows(table, number, owner, now))
        if place.kind == "sqlite":
            _into_file(place.where, table, columns, rows)
        else:
            _into_schema(place.where, table, columns, rows)
    if place.kind == "postgres":
        for table in _COLUMNS:
            postgres.run(f"VACUUM (ANALYZE) {place.where}.{table}")


def _rows(table: str, number: int, owner: str, now: int) -> Iterator[_Cells]:
    session, turn = f"sess_{number:012x}{'7' * 36}", f"turn_{number:012x}{'7' * 36}"
    ask, answer = f"{turn}:0", f"{turn}:1"
    match table:
        case "history":
            yield ask, None, turn, _message("user", number), now
            yield answer, ask, turn, _message("assistant", number), now
        case "sessions":
            yield owner, f"session {number}", session, answer, 1, now
        case "session_states":
            yield session, "{}"
        case "snapshots":
            yield session, turn, answer, "{}", now
        case _:
            response, record = f"resp_{number:012x}{'7' * 36}", json.dumps({"owner": owner})
            ended = (1, 1, record, now, now, now + _DAY_MS)
            yield turn, "direct", owner, "", session, response, "completed", *ended


def _message(role: str, number: int) -> str:
    contents = [{"type": "text", "text": f"hello {number}"}]
    return json.dumps({"type": "message", "role": role, "contents": contents})


def _into_file(path: str, table: str, columns: Sequence[str], rows: Iterable[_Cells]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        marks = ", ".join("?" * len(columns))
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        connection.execute("COMMIT")


def _into_schema(schema: str, table: str, columns: Sequence[str], rows: Iterator[_Cells]) -> None:
    with psycopg.connect(postgres.URL) as connection:
        if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
            True,
        ):
            connection.execute("SET LOCAL session_replication_role = replica")  # what refers is right already
        target = f"{schema}.{table} ({', '.join(columns)})"
        while chunk := [*islice(rows, _CHUNK)]:
            with connection.cursor().copy(f"COPY {target} FROM STDIN".encode()) as copy:
                for row in chunk:
                    copy.write_row(row)
