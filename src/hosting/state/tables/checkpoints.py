"""Checkpoints of workflows, per session, in the order they were saved (contract 8.4, 8.5).

They may be saved before the session's first commit, so a session that never came to be leaves them to the sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base import Rows, Statement

_COLUMNS = "session_id, checkpoint_id, workflow_name, payload, created_ms"

SQL: Mapping[str, str] = {
    "checkpoints.save": f"""INSERT INTO checkpoints ({_COLUMNS})
        VALUES (:session_id, :checkpoint_id, :workflow_name, :payload, :now)
        ON CONFLICT (session_id, checkpoint_id) DO UPDATE
        SET workflow_name = excluded.workflow_name, payload = excluded.payload, created_ms = excluded.created_ms""",
    "checkpoints.load": f"""SELECT {_COLUMNS} FROM checkpoints
        WHERE session_id = :session_id AND checkpoint_id = :checkpoint_id""",
    "checkpoints.load_all": f"""SELECT {_COLUMNS} FROM checkpoints
        WHERE session_id = :session_id AND workflow_name = :workflow_name ORDER BY seq""",
    "checkpoints.load_latest": f"""SELECT {_COLUMNS} FROM checkpoints
        WHERE session_id = :session_id ORDER BY seq DESC LIMIT 1""",
    "checkpoints.copy": f"""INSERT INTO checkpoints ({_COLUMNS})
        SELECT :to_session, checkpoint_id, workflow_name, payload, :now FROM checkpoints
        WHERE session_id = :from_session AND checkpoint_id = :checkpoint_id""",
    "checkpoints.delete": "DELETE FROM checkpoints WHERE session_id = :session_id AND checkpoint_id = :checkpoint_id",
    "checkpoints.prune": """DELETE FROM checkpoints
        WHERE session_id = :session_id AND checkpoint_id <> :checkpoint_id""",
    "checkpoints.expire": """DELETE FROM checkpoints WHERE seq IN (
        SELECT c.seq FROM checkpoints c WHERE c.created_ms <= :before
        AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = c.session_id)
        ORDER BY c.created_ms LIMIT :limit {skip_locked}) RETURNING 1""",
}


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """One checkpoint; `payload` is JSON text, `null` where the checkpoint itself is kept elsewhere (contract 8.5)."""

    session_id: str
    checkpoint_id: str
    workflow_name: str
    payload: str
    created_ms: int


def save_checkpoint(
    *, session_id: str, checkpoint_id: str, workflow_name: str, payload: str, now_ms: int
) -> Statement:
    """Writes a checkpoint; one of that id keeps its place in the order."""
    params = {
        "session_id": session_id,
        "checkpoint_id": checkpoint_id,
        "workflow_name": workflow_name,
        "payload": payload,
        "now": now_ms,
    }
    return Statement("checkpoints.save", params, 1)


def load_checkpoint(session_id: str, checkpoint_id: str) -> Statement:
    """One checkpoint of the session; read the rows with `read_checkpoint`."""
    return Statement("checkpoints.load", {"session_id": session_id, "checkpoint_id": checkpoint_id})


def load_checkpoints(session_id: str, workflow_name: str) -> Statement:
    """All checkpoints of the session's workflow, oldest first; read the rows with `read_checkpoints`."""
    return Statement("checkpoints.load_all", {"session_id": session_id, "workflow_name": workflow_name})


def load_latest_checkpoint(session_id: str) -> Statement:
    """The checkpoint saved last, of whatever workflow; read the rows with `read_checkpoint`."""
    return Statement("checkpoints.load_latest", {"session_id": session_id})


def copy_checkpoint(*, from_session: str, to_session: str, checkpoint_id: str, now_ms: int) -> Statement:
    """Gives a forked session its parent's checkpoint; conflicts where the parent has none of that id."""
    params = {
        "from_session": from_session,
        "to_session": to_session,
        "checkpoint_id": checkpoint_id,
        "now": now_ms,
    }
    return Statement("checkpoints.copy", params, 1)


def delete_checkpoint(session_id: str, checkpoint_id: str) -> Statement:
    """Removes a checkpoint, if it is there."""
    return Statement("checkpoints.delete", {"session_id": session_id, "checkpoint_id": checkpoint_id})


def prune_checkpoints(session_id: str, *, keep: str) -> Statement:
    """Removes all checkpoints of the session but one, at the turn's end (contract 8.4)."""
    return Statement("checkpoints.prune", {"session_id": session_id, "checkpoint_id": keep})


def expire_checkpoints(before_ms: int, limit: int) -> Statement:
    """Removes up to `limit` checkpoints saved by then whose session is gone or never came to be."""
    return Statement("checkpoints.expire", {"before": before_ms, "limit": limit})


def read_checkpoint(rows: Rows) -> StoredCheckpoint | None:
    """The one checkpoint of a load, or None."""
    return StoredCheckpoint(*rows[0]) if rows else None


def read_checkpoints(rows: Rows) -> list[StoredCheckpoint]:
    """The checkpoints of `load_checkpoints`, oldest first."""
    return [StoredCheckpoint(*row) for row in rows]
