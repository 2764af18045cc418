"""The table of named statements: each name with its portable text.

The texts stand beside the functions that fill them in, one module per table (`hosting.state.tables`). They use `:name`
parameters, `ON CONFLICT`, `RETURNING`, integer times in epoch milliseconds, JSON as text, and one token:
`{skip_locked}`, where a store with row locks passes over rows that another taker holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .base import Statement
from .tables import (
    aliases,
    checkpoints,
    events,
    history,
    identity_keys,
    outbox,
    records,
    sessions,
    snapshots,
    turns,
)

_PING: Mapping[str, str] = {"store.ping": "SELECT 1"}

_TABLES: tuple[Mapping[str, str], ...] = (
    _PING,
    aliases.SQL,
    checkpoints.SQL,
    events.SQL,
    history.SQL,
    identity_keys.SQL,
    outbox.SQL,
    records.SQL,
    sessions.SQL,
    snapshots.SQL,
    turns.SQL,
)


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
    writes = any(word in compact for word in ("INSERT INTO ", "UPDATE ", "DELETE FROM "))
    return StatementText(compact, not writes or " RETURNING " in compact, not writes)
