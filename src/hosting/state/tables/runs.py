"""Background runs, and the log of what each says (contract 12, 4.5, 7.2).

queued -> running -> completed, incomplete, failed, cancelled, input_required
running -> queued    cut off by a shutdown before anybody had read of it

The work itself waits in `events` with the kind `run`; the fence of what was taken there is the fence here. Nothing is
added to the log, and no end is written, under an older fence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...results import RunStatus, TurnStatus
from ..base import Rows, Statement

_COLUMNS = """run_id, channel, caller, response_id, isolation_key, status, request, result, error, fence, seen,
    created_ms, completed_ms, expires_ms"""
_HELD = "run_id = :run_id AND fence = :fence AND status = 'running'"
_EXPIRED = "FROM runs WHERE expires_ms <= :now ORDER BY expires_ms, run_id LIMIT :limit"

SQL: Mapping[str, str] = {
    "runs.add": """INSERT INTO runs (run_id, token_hash, channel, caller, response_id, isolation_key, status, request,
            fence, seen, created_ms)
        VALUES (:run_id, :token_hash, :channel, :caller, :response_id, :isolation_key, 'queued', :request, 0, 0, :now)""",
    "runs.load": f"SELECT {_COLUMNS} FROM runs WHERE run_id = :run_id",
    "runs.load_by_token": f"""SELECT {_COLUMNS} FROM runs
        WHERE token_hash = :token_hash AND (expires_ms IS NULL OR expires_ms > :now)""",
    "runs.begin": """UPDATE runs SET status = 'running', fence = :fence
        WHERE run_id = :run_id AND fence < :fence AND seen = 0 AND completed_ms IS NULL RETURNING run_id""",
    "runs.clear_log": """DELETE FROM run_events WHERE run_id = :run_id
        AND EXISTS (SELECT 1 FROM runs r WHERE r.run_id = :run_id AND r.fence = :fence)""",
    "runs.requeue": f"UPDATE runs SET status = 'queued' WHERE {_HELD} AND seen = 0",
    "runs.mark_seen": """UPDATE runs SET seen = 1 WHERE run_id = :run_id AND seen = 0 AND status = 'running'
        AND EXISTS (SELECT 1 FROM run_events e WHERE e.run_id = :run_id)""",
    "runs.finish": """UPDATE runs SET status = :status, result = :result, error = :error, completed_ms = :now,
            expires_ms = :expires
        WHERE run_id = :run_id AND completed_ms IS NULL AND fence <= :fence""",
    "runs.append": f"""INSERT INTO run_events (run_id, seq, entry)
        SELECT run_id, CAST(:seq AS BIGINT), :entry FROM runs WHERE {_HELD}""",
    "runs.load_log": """SELECT seq, entry FROM run_events WHERE run_id = :run_id AND seq > :after
        ORDER BY seq LIMIT :limit""",
    "runs.withdraw": """UPDATE events SET state = 'settled'
        WHERE kind = 'run' AND delivery_id = :run_id AND state IN ('queued', 'running') AND state = 'queued'
        RETURNING seq""",
    "runs.expire_work": f"""DELETE FROM events WHERE kind = 'run' AND state IN ('done', 'settled', 'dead')
        AND (channel, delivery_id) IN (SELECT channel, run_id {_EXPIRED})""",
    "runs.expire": f"DELETE FROM runs WHERE run_id IN (SELECT run_id {_EXPIRED}) RETURNING 1",
}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A background run as the store knows it.

    Args:
        run_id: Its id, that of its turn.
        channel: The channel that began it.
        caller: Id of the authenticated caller that may see it; "" for trusted code.
        response_id: The id it answers under.
        isolation_key: Whose session it runs in.
        status: Where it stands.
        request: JSON text of the request as the run hook left it.
        result: JSON text of the result.
        error: JSON text of what may be told of a failure.
        fence: Number of the attempt that may write.
        seen: 1 once somebody has read of its log.
        created_ms: When it was asked for.
        completed_ms: When it ended.
        expires_ms: When the sweep may take it.
    """

    run_id: str
    channel: str
    caller: str
    response_id: str
    isolation_key: str | None
    status: RunStatus
    request: str
    result: str | None
    error: str | None
    fence: int
    seen: int
    created_ms: int
    completed_ms: int | None
    expires_ms: int | None


def add_run(
    *,
    run_id: str,
    token_hash: str,
    channel: str,
    caller: str,
    response_id: str,
    isolation_key: str | None,
    request: str,
    now_ms: int,
) -> Statement:
    """A new run, queued; conflicts where the id or the token is taken. Claim its work in the same unit."""
    params = {
        "run_id": run_id,
        "token_hash": token_hash,
        "channel": channel,
        "caller": caller,
        "response_id": response_id,
        "isolation_key": isolation_key,
        "request": request,
        "now": now_ms,
    }
    return Statement("runs.add", params, 1)


def load_run(run_id: str) -> Statement:
    """The run of that id; read the rows with `read_run`."""
    return Statement("runs.load", {"run_id": run_id})


def load_run_by_token(token_hash: str, *, now_ms: int) -> Statement:
    """The run of that token, until it expires; read the rows with `read_run`."""
    return Statement("runs.load_by_token", {"token_hash": token_hash, "now": now_ms})


def begin_run(run_id: str, fence: int) -> tuple[Statement, Statement]:
    """Begins an attempt with an empty log; the first returns a row unless somebody has read of an earlier one."""
    params = {"run_id": run_id, "fence": fence}
    return Statement("runs.begin", params), Statement("runs.clear_log", params)


def requeue_run(run_id: str, fence: int) -> Statement:
    """The attempt was cut off by a shutdown; conflicts where another one has begun, or somebody has read of it."""
    return Statement("runs.requeue", {"run_id": run_id, "fence": fence}, 1)


def mark_run_seen(run_id: str) -> Statement:
    """Says that its log is about to be read, if there is anything in it (contract 4.5)."""
    return Statement("runs.mark_seen", {"run_id": run_id})


def finish_run(
    run_id: str,
    fence: int,
    status: TurnStatus,
    *,
    result: str | None = None,
    error: str | None = None,
    now_ms: int,
    expires_ms: int,
) -> Statement:
    """Ends a run; conflicts where it has ended, or a newer attempt has begun."""
    params = {
        "run_id": run_id,
        "fence": fence,
        "status": status,
        "result": result,
        "error": error,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("runs.finish", params, 1)


def append_to_log(run_id: str, fence: int, seq: int, entry: str) -> Statement:
    """One more entry of the log, JSON text; conflicts where the run has ended or a newer attempt has begun."""
    return Statement("runs.append", {"run_id": run_id, "fence": fence, "seq": seq, "entry": entry}, 1)


def load_log(run_id: str, *, after: int, limit: int) -> Statement:
    """Entries behind `after`, oldest first; read the rows with `read_log`."""
    return Statement("runs.load_log", {"run_id": run_id, "after": after, "limit": limit})


def withdraw_run(run_id: str) -> Statement:
    """Takes a run that nobody has begun out of the line; returns a row if it was there."""
    return Statement("runs.withdraw", {"run_id": run_id})


def expire_runs(now_ms: int, limit: int) -> tuple[Statement, ...]:
    """Removes up to `limit` ended runs past their time, with their logs and their work; the last returns a row for each."""
    params = {"now": now_ms, "limit": limit}
    return Statement("runs.expire_work", params), Statement("runs.expire", params)


def read_run(rows: Rows) -> StoredRun | None:
    """The one run of a load, or None."""
    return StoredRun(*rows[0]) if rows else None


def read_log(rows: Rows) -> list[tuple[int, str]]:
    """Number and JSON text of each entry."""
    return [(row[0], row[1]) for row in rows]
