"""Which session an isolation key means when a request names none (contract 6.5). Aliases never expire."""

from __future__ import annotations

from collections.abc import Mapping

from ..base import Rows, Statement

SQL: Mapping[str, str] = {
    "aliases.load": "SELECT key FROM aliases WHERE isolation_key = :isolation_key",
    "aliases.add": """INSERT INTO aliases (isolation_key, key, updated_ms) VALUES (:isolation_key, :key, :now)
        ON CONFLICT DO NOTHING""",
    "aliases.move": """INSERT INTO aliases (isolation_key, key, updated_ms) VALUES (:isolation_key, :key, :now)
        ON CONFLICT (isolation_key) DO UPDATE SET key = excluded.key, updated_ms = excluded.updated_ms""",
}


def load_alias(isolation_key: str) -> Statement:
    """The current key; read the rows with `read_alias`."""
    return Statement("aliases.load", {"isolation_key": isolation_key})


def add_alias(isolation_key: str, key: str, *, now_ms: int) -> Statement:
    """The first current key; an alias that exists stays. Follow it with `load_alias` to learn which one counts."""
    return Statement("aliases.add", {"isolation_key": isolation_key, "key": key, "now": now_ms})


def move_alias(isolation_key: str, key: str, *, now_ms: int) -> Statement:
    """Makes `key` the current one; the session it named before stays readable under its own key."""
    return Statement("aliases.move", {"isolation_key": isolation_key, "key": key, "now": now_ms})


def read_alias(rows: Rows) -> str | None:
    """The current key of `load_alias`, or None."""
    return rows[0][0] if rows else None
