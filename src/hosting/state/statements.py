"""The table of named statements: each name with its portable text.

The texts stand beside the functions that fill them in, one module per table (`hosting.state.tables`). They use `:name`
parameters, `ON CONFLICT`, `RETURNING`, integer times in epoch milliseconds, JSON as text, and one token:
`{skip_locked}`, where a store with row locks passes over rows that another taker holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .base import Statement
from .signals import SIGNAL
from .tables import (
    aliases,
    cancels,
    checkpoints,
    events,
    history,
    identity_keys,
    instances,
    locks,
    outbox,
    procrastinate_jobs,
    records,
    runs,
    sessions,
    snapshots,
    tasks,
    turns,
)

_STORE: Mapping[str, str] = {
    "store.ping": "SELECT 1",
    SIGNAL: "SELECT :topic",  # an engine that can tell other processes says so in its own words
}

_TABLES: tuple[Mapping[str, str], ...] = (
    _STORE,
    aliases.SQL,
    cancels.SQL,
    checkpoints.SQL,
    events.SQL,
    history.SQL,
    identity_keys.SQL,
    instances.SQL,
    locks.SQL,
    outbox.SQL,
    procrastinate_jobs.SQL,
    records.SQL,
    runs.SQL,
    sessions.SQL,
    snapshots.SQL,
    tasks.SQL,
    turns.SQL,
)


_WRITES = ("INSERT INTO ", "UPDATE ", "DELETE FROM ", "procrastinate_defer_jobs")
"""Words of which a text that changes something holds at least one."""


class StatementText(NamedTuple):
    """A statement as a store runs it."""

    sql: str
    returns_rows: bool
    read_only: bool


def statement_texts(*, skip_locked: str = "") -> dict[str, StatementText]:
    """Every statement by name, with `{skip_locked}` replaced by what the store's engine takes there."""
    return {
        name: _text(sql.replace("{skip_locked}", skip_locked))
        for table in _TABLES
        for name, sql in table.items()
    }


def ping() -> Statement:
    """Returns one row while the store answers (contract 1.4, readiness)."""
    return Statement("store.ping", {}, 1)


def _text(sql: str) -> StatementText:
    compact = " ".join(sql.split())
    writes = any(word in compact for word in _WRITES)
    return StatementText(compact, not writes or " RETURNING " in compact, not writes)
