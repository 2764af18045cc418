"""The isolation key that a person got at first sight (contract 9.1). Keys never expire."""

from __future__ import annotations

from collections.abc import Mapping

from ..base import Rows, Statement

SQL: Mapping[str, str] = {
    "identity_keys.load": """SELECT isolation_key FROM identity_keys
        WHERE channel = :channel AND native_id = :native_id""",
    "identity_keys.add": """INSERT INTO identity_keys (channel, native_id, isolation_key, created_ms)
        VALUES (:channel, :native_id, :isolation_key, :now) ON CONFLICT DO NOTHING""",
}


def load_identity_key(channel: str, native_id: str) -> Statement:
    """The person's isolation key; read the rows with `read_identity_key`."""
    return Statement("identity_keys.load", {"channel": channel, "native_id": native_id})


def add_identity_key(channel: str, native_id: str, isolation_key: str, *, now_ms: int) -> Statement:
    """The key of a person seen for the first time; a key that exists stays. Follow it with `load_identity_key`."""
    params = {"channel": channel, "native_id": native_id, "isolation_key": isolation_key, "now": now_ms}
    return Statement("identity_keys.add", params)


def read_identity_key(rows: Rows) -> str | None:
    """The isolation key of `load_identity_key`, or None."""
    return rows[0][0] if rows else None
