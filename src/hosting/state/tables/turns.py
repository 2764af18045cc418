"""Turns: what ran, how it ended, and the answer to a repeated `Idempotency-Key` (contract 3.5, 4.3 to 4.5).

A turn is open (`queued`, `running`) until it is finished. Every change of an open turn names its attempt, so an attempt
that was overtaken by another changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...results import TurnStatus
from ..base import Rows, Statement
from .instances import DEAD

OpenStatus = Literal["queued", "running"]

_COLUMNS = """turn_id, channel, caller, scope, delivery_id, session_id, response_id, status, attempt, seen, result, record,
    error_code, created_ms, finished_ms, expires_ms"""
_OPEN = "turn_id = :turn_id AND attempt = :attempt AND finished_ms IS NULL"

SQL: Mapping[str, str] = {
    "turns.begin": """INSERT INTO turns (turn_id, channel, caller, scope, delivery_id, session_id, response_id, status,
            attempt, seen, record, created_ms, owner)
        VALUES (:turn_id, :channel, :caller, :scope, :delivery_id, :session_id, :response_id, :status,
            1, 0, :record, :now, :owner)
        ON CONFLICT DO NOTHING RETURNING turn_id""",
    "turns.load": f"SELECT {_COLUMNS} FROM turns WHERE turn_id = :turn_id",
    "turns.load_by_delivery": f"""SELECT {_COLUMNS} FROM turns
        WHERE channel = :channel AND caller = :caller AND scope = :scope AND delivery_id = :delivery_id""",
    "turns.load_by_response": f"""SELECT {_COLUMNS} FROM turns WHERE response_id = :response_id
        ORDER BY CASE WHEN session_id IS NULL THEN 1 ELSE 0 END, created_ms DESC LIMIT 1""",
    "turns.load_cut_off": f"""SELECT {_COLUMNS} FROM turns
        WHERE finished_ms IS NULL AND owner IS NOT NULL AND {DEAD.format(owner="turns.owner")}
        ORDER BY created_ms, turn_id LIMIT :limit""",
    "turns.is_cut_off": f"""SELECT 1 FROM turns WHERE turn_id = :turn_id
        AND finished_ms IS NULL AND owner IS NOT NULL AND {DEAD.format(owner="turns.owner")}""",
    "turns.set_status": f"UPDATE turns SET status = :status, session_id = COALESCE(:session_id, session_id) WHERE {_OPEN}",
    "turns.retry": f"UPDATE turns SET attempt = attempt + 1, status = 'running' WHERE {_OPEN}",
    "turns.mark_seen": f"UPDATE turns SET seen = 1 WHERE {_OPEN}",
    "turns.finish": f"""UPDATE turns SET status = :status, session_id = COALESCE(:session_id, session_id), result = :result,
            record = :record, error_code = :error_code, finished_ms = :now, expires_ms = :expires
        WHERE {_OPEN}""",
    "turns.forget": f"DELETE FROM turns WHERE {_OPEN}",
    "turns.add_ended": """INSERT INTO turns (turn_id, channel, caller, scope, session_id, response_id, status,
            attempt, seen, record, error_code, created_ms, finished_ms, expires_ms)
        VALUES (:turn_id, :channel, :caller, '', :session_id, :response_id, :status,
            :attempt, 1, :record, :error_code, :now, :now, :expires)
        ON CONFLICT (turn_id) DO UPDATE SET session_id = excluded.session_id, response_id = excluded.response_id,
            status = excluded.status, attempt = excluded.attempt, record = excluded.record,
            error_code = excluded.error_code, finished_ms = excluded.finished_ms, expires_ms = excluded.expires_ms
        WHERE turns.status = 'failed'""",
    "turns.put_record": "UPDATE turns SET record = :record WHERE turn_id = :turn_id",
    "turns.expire": """DELETE FROM turns WHERE turn_id IN (
        SELECT turn_id FROM turns WHERE expires_ms <= :now ORDER BY expires_ms LIMIT :limit) RETURNING 1""",
}


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn as the store knows it.

    Args:
        turn_id: Its id, the same for every attempt.
        channel: Name of its channel.
        caller: Id of the authenticated caller, "" on platforms.
        scope: What else parts idempotency keys, "" by default.
        delivery_id: The platform's event id or the caller's `Idempotency-Key`.
        session_id: The session it ran in.
        response_id: The id it answers under.
        status: `queued`, `running`, or how it ended.
        attempt: Which attempt this is, from 1.
        seen: 1 once output left the process, else 0 (contract 4.5).
        result: JSON text of the stored result.
        record: JSON text: intended and skipped targets, outcomes.
        error_code: Stable code of a failed turn.
        created_ms: When it began.
        finished_ms: When it ended.
        expires_ms: When the sweep may take it.
    """

    turn_id: str
    channel: str
    caller: str
    scope: str
    delivery_id: str | None
    session_id: str | None
    response_id: str | None
    status: TurnStatus | OpenStatus
    attempt: int
    seen: int
    result: str | None
    record: str
    error_code: str | None
    created_ms: int
    finished_ms: int | None
    expires_ms: int | None


def begin_turn(
    *,
    turn_id: str,
    channel: str,
    caller: str = "",
    scope: str = "",
    delivery_id: str | None = None,
    session_id: str | None = None,
    response_id: str | None = None,
    status: OpenStatus = "running",
    record: str = "{}",
    owner: str | None = None,
    now_ms: int,
) -> Statement:
    """Opens a turn of the host `owner`; returns a row if it is new, none if the turn or its delivery is known.

    Put `load_turn_by_delivery` behind it in the unit to learn of the earlier turn and its stored result.
    """
    params = {
        "turn_id": turn_id,
        "channel": channel,
        "caller": caller,
        "scope": scope,
        "delivery_id": delivery_id,
        "session_id": session_id,
        "response_id": response_id,
        "status": status,
        "record": record,
        "owner": owner,
        "now": now_ms,
    }
    return Statement("turns.begin", params)


def load_turn(turn_id: str) -> Statement:
    """The turn of that id; read the rows with `read_turn`."""
    return Statement("turns.load", {"turn_id": turn_id})


def load_turn_by_delivery(*, channel: str, caller: str = "", scope: str = "", delivery_id: str) -> Statement:
    """The turn that claimed this delivery or idempotency key; read the rows with `read_turn`."""
    params = {"channel": channel, "caller": caller, "scope": scope, "delivery_id": delivery_id}
    return Statement("turns.load_by_delivery", params)


def load_turn_by_response(response_id: str) -> Statement:
    """The turn that answers under this id; read the rows with `read_turn`."""
    return Statement("turns.load_by_response", {"response_id": response_id})


def load_cut_off_turns(*, now_ms: int, limit: int) -> Statement:
    """Turns whose host is gone, oldest first; read the rows with `read_turns` (contract 4.5)."""
    return Statement("turns.load_cut_off", {"now": now_ms, "limit": limit})


def load_cut_off(turn_id: str, *, now_ms: int) -> Statement:
    """Returns a row where the turn is open and its host is gone."""
    return Statement("turns.is_cut_off", {"turn_id": turn_id, "now": now_ms})


def set_turn_status(
    turn_id: str, attempt: int, status: OpenStatus, *, session_id: str | None = None
) -> Statement:
    """Moves an open turn between `queued` and `running`, and names its session once known.

    Conflicts where this attempt is over.
    """
    params = {"turn_id": turn_id, "attempt": attempt, "status": status, "session_id": session_id}
    return Statement("turns.set_status", params, 1)


def retry_turn(turn_id: str, attempt: int) -> Statement:
    """Begins attempt `attempt + 1`; conflicts where another worker has begun it, or the turn has ended."""
    return Statement("turns.retry", {"turn_id": turn_id, "attempt": attempt}, 1)


def mark_turn_seen(turn_id: str, attempt: int) -> Statement:
    """Says that output is about to leave the process (contract 4.5); conflicts where this attempt is over."""
    return Statement("turns.mark_seen", {"turn_id": turn_id, "attempt": attempt}, 1)


def finish_turn(
    turn_id: str,
    attempt: int,
    status: TurnStatus,
    *,
    session_id: str | None = None,
    result: str | None = None,
    record: str = "{}",
    error_code: str | None = None,
    now_ms: int,
    expires_ms: int | None = None,
) -> Statement:
    """Ends a turn; conflicts where this attempt is over."""
    params = {
        "turn_id": turn_id,
        "attempt": attempt,
        "status": status,
        "session_id": session_id,
        "result": result,
        "record": record,
        "error_code": error_code,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("turns.finish", params, 1)


def forget_turn(turn_id: str, attempt: int) -> Statement:
    """Gives up an open turn that never ran, and its key with it; conflicts where this attempt is over."""
    return Statement("turns.forget", {"turn_id": turn_id, "attempt": attempt}, 1)


def add_ended_turn(
    *,
    turn_id: str,
    channel: str,
    caller: str,
    session_id: str | None,
    response_id: str,
    status: TurnStatus,
    attempt: int,
    record: str,
    error_code: str | None,
    now_ms: int,
    expires_ms: int,
) -> Statement:
    """A turn that nobody can repeat, written at its end; conflicts where the id is that of a turn that did not fail."""
    params = {
        "turn_id": turn_id,
        "channel": channel,
        "caller": caller,
        "session_id": session_id,
        "response_id": response_id,
        "status": status,
        "attempt": attempt,
        "record": record,
        "error_code": error_code,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("turns.add_ended", params, 1)


def put_turn_record(turn_id: str, record: str) -> Statement:
    """Replaces the turn's record as outcomes come in, also after its end."""
    return Statement("turns.put_record", {"turn_id": turn_id, "record": record}, 1)


def expire_turns(now_ms: int, limit: int) -> Statement:
    """Removes up to `limit` ended turns past their time."""
    return Statement("turns.expire", {"now": now_ms, "limit": limit})


def read_turn(rows: Rows) -> StoredTurn | None:
    """The one turn of a load, or None."""
    return StoredTurn(*rows[0]) if rows else None


def read_turns(rows: Rows) -> list[StoredTurn]:
    """The turns of `load_cut_off_turns`."""
    return [StoredTurn(*row) for row in rows]
