"""What a session was when one of its turns ended; never changed afterwards (contract 6.6).

A fork starts from a snapshot, so it does not see what its parent does later. A snapshot goes with its session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base import Rows, Statement

_COLUMNS = "session_id, turn_id, head, state, service_session_id, created_ms, expires_ms"
_EXPIRED = """SELECT session_id, turn_id FROM snapshots WHERE expires_ms <= :now
    ORDER BY expires_ms, session_id, turn_id LIMIT :limit"""

SQL: Mapping[str, str] = {
    "snapshots.add": f"""INSERT INTO snapshots ({_COLUMNS})
        VALUES (:session_id, :turn_id, :head, :state, :service_session_id, :now, :expires)
        ON CONFLICT DO NOTHING""",
    "snapshots.load": f"SELECT {_COLUMNS} FROM snapshots WHERE session_id = :session_id AND turn_id = :turn_id",
    "snapshots.release_expired": f"""INSERT INTO history_ends (entry_id)
        SELECT head FROM snapshots WHERE (session_id, turn_id) IN ({_EXPIRED}) AND head IS NOT NULL""",
    "snapshots.expire": f"DELETE FROM snapshots WHERE (session_id, turn_id) IN ({_EXPIRED}) RETURNING 1",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session at the end of one turn; the fields mean what they mean in `StoredSession`."""

    session_id: str
    turn_id: str
    head: str | None
    state: str | None
    service_session_id: str | None
    created_ms: int
    expires_ms: int | None


def add_snapshot(
    *,
    session_id: str,
    turn_id: str,
    head: str | None,
    state: str | None,
    service_session_id: str | None = None,
    now_ms: int,
    expires_ms: int | None = None,
) -> Statement:
    """The session as this turn left it; conflicts where the turn has a snapshot, or `head` is no entry."""
    params = {
        "session_id": session_id,
        "turn_id": turn_id,
        "head": head,
        "state": state,
        "service_session_id": service_session_id,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("snapshots.add", params, 1)


def load_snapshot(session_id: str, turn_id: str) -> Statement:
    """The session as that turn left it; read the rows with `read_snapshot`."""
    return Statement("snapshots.load", {"session_id": session_id, "turn_id": turn_id})


def expire_snapshots(now_ms: int, limit: int) -> tuple[Statement, ...]:
    """Removes up to `limit` snapshots past their time; the last one returns a row for each."""
    params = {"now": now_ms, "limit": limit}
    return (Statement("snapshots.release_expired", params), Statement("snapshots.expire", params))


def read_snapshot(rows: Rows) -> Snapshot | None:
    """The one snapshot of a load, or None."""
    return Snapshot(*rows[0]) if rows else None
