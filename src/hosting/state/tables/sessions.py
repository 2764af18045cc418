"""Sessions, named by (isolation key, key), and the state of each (contract 6.2).

A save says which fence it loaded or holds, and raises it; a writer that lost the session misses and rolls back
(contract 6.7). An expired session is removed by the next turn that opens it, or a day later by the sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base import Rows, Statement

_COLUMNS = """s.isolation_key, s.key, s.session_id, s.parent_id, s.head, s.service_session_id, s.fence,
    s.updated_ms, s.expires_ms, b.state"""
_FROM = "FROM sessions s LEFT JOIN session_states b ON b.session_id = s.session_id"
_EXPIRED = (
    "SELECT session_id FROM sessions WHERE expires_ms <= :now ORDER BY expires_ms, session_id LIMIT :limit"
)
_RELEASE = """INSERT INTO history_ends (entry_id)
    SELECT head FROM sessions WHERE session_id {which} AND head IS NOT NULL
    UNION SELECT head FROM snapshots WHERE session_id {which} AND head IS NOT NULL"""

SQL: Mapping[str, str] = {
    "sessions.load": f"SELECT {_COLUMNS} {_FROM} WHERE s.isolation_key = :isolation_key AND s.key = :key",
    "sessions.load_by_id": f"SELECT {_COLUMNS} {_FROM} WHERE s.session_id = :session_id",
    "sessions.load_fence": "SELECT fence FROM sessions WHERE isolation_key = :isolation_key AND key = :key",
    "sessions.create": """INSERT INTO sessions (isolation_key, key, session_id, parent_id, head, service_session_id,
            fence, updated_ms, expires_ms)
        VALUES (:isolation_key, :key, :session_id, :parent_id, :head, :service_session_id, 1, :now, :expires)
        ON CONFLICT DO NOTHING""",
    "sessions.save": """UPDATE sessions
        SET head = :head, service_session_id = :service_session_id, fence = fence + 1, updated_ms = :now,
            expires_ms = :expires
        WHERE session_id = :session_id AND fence = :fence""",
    "sessions.put_state": """INSERT INTO session_states (session_id, state) VALUES (:session_id, :state)
        ON CONFLICT (session_id) DO UPDATE SET state = excluded.state""",
    "sessions.release": _RELEASE.format(which="= :session_id"),
    "sessions.delete": "DELETE FROM sessions WHERE session_id = :session_id",
    "sessions.release_expired": _RELEASE.format(which=f"IN ({_EXPIRED})"),
    "sessions.expire": f"DELETE FROM sessions WHERE session_id IN ({_EXPIRED}) RETURNING 1",
}


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it was last saved.

    Args:
        isolation_key: Whose session it is.
        key: Its name among those.
        session_id: Its own id, unique in the store.
        parent_id: Id of the session it was forked from.
        head: Id of its last history entry.
        service_session_id: The model service's own conversation, where there is one.
        fence: Number that the next save must name; 1 after creation.
        updated_ms: Time of the last save.
        expires_ms: Time after which the sweep may take it; None keeps it.
        state: JSON text, or None where none was saved.
    """

    isolation_key: str
    key: str
    session_id: str
    parent_id: str | None
    head: str | None
    service_session_id: str | None
    fence: int
    updated_ms: int
    expires_ms: int | None
    state: str | None


def load_session(isolation_key: str, key: str) -> Statement:
    """The session of that name; read the rows with `read_session`."""
    return Statement("sessions.load", {"isolation_key": isolation_key, "key": key})


def load_session_by_id(session_id: str) -> Statement:
    """The session of that id; read the rows with `read_session`."""
    return Statement("sessions.load_by_id", {"session_id": session_id})


def load_fence(isolation_key: str, key: str) -> Statement:
    """The fence of the session of that name, to know whether a live copy is old; one row of one number, or none."""
    return Statement("sessions.load_fence", {"isolation_key": isolation_key, "key": key})


def create_session(
    *,
    isolation_key: str,
    key: str,
    session_id: str,
    parent_id: str | None = None,
    head: str | None = None,
    service_session_id: str | None = None,
    now_ms: int,
    expires_ms: int | None = None,
) -> Statement:
    """A new session with fence 1; conflicts where the name or the id is taken, or `head` is no entry."""
    params = {
        "isolation_key": isolation_key,
        "key": key,
        "session_id": session_id,
        "parent_id": parent_id,
        "head": head,
        "service_session_id": service_session_id,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("sessions.create", params, 1)


def save_session(
    *,
    session_id: str,
    fence: int,
    head: str | None,
    service_session_id: str | None = None,
    now_ms: int,
    expires_ms: int | None = None,
) -> Statement:
    """The session after a turn; its fence is `fence + 1` then. Conflicts where the stored fence is another."""
    params = {
        "session_id": session_id,
        "fence": fence,
        "head": head,
        "service_session_id": service_session_id,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("sessions.save", params, 1)


def put_session_state(session_id: str, state: str) -> Statement:
    """The session's state, JSON text; goes after `create_session` or `save_session`, and only where it changed."""
    return Statement("sessions.put_state", {"session_id": session_id, "state": state})


def delete_session(session_id: str) -> tuple[Statement, ...]:
    """Removes a session with its state and snapshots; the sweep takes the history that nothing else uses."""
    params = {"session_id": session_id}
    return (Statement("sessions.release", params), Statement("sessions.delete", params))


def expire_sessions(now_ms: int, limit: int) -> tuple[Statement, ...]:
    """Removes up to `limit` sessions past their time, as `delete_session` does; the last one returns a row for each."""
    params = {"now": now_ms, "limit": limit}
    return (Statement("sessions.release_expired", params), Statement("sessions.expire", params))


def read_session(rows: Rows) -> StoredSession | None:
    """The one session of a load, or None."""
    return StoredSession(*rows[0]) if rows else None
