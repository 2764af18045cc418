"""Durable tasks of the embedded runner: claimed under a fenced lease, in order per key (contract 11).

    scheduled -> running -> succeeded   its handler returned
                         -> failed      out of attempts, or refused for good
                         -> scheduled   to be tried again later, or given back at a drain
                         -> cancelled
              -> cancelled
    running -> running                  claimed anew after the lease ran out; attempt and fence go up

One time serves all: `due_ms` is when a scheduled task is due, and when the lease of a running one ends. So the search for
due tasks finds those of dead runners, too. A task waits for the earlier open ones of its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..base import Rows, Statement

TaskState = Literal["scheduled", "running", "succeeded", "failed", "cancelled"]
TaskEnd = Literal["succeeded", "failed", "cancelled"]

_COLUMNS = """seq, id, name, payload, trace, order_key, policy, state, attempts, max_attempts, owner, fence, due_ms,
    cancel_requested, last_error, created_ms, updated_ms, expires_ms"""
_TAKEN = "seq, id, name, payload, trace, order_key, policy, attempts, max_attempts, fence"
SET_BACK_MS = 60_000
"""A task that was put back so long from now in the future: the clock was set back since."""

_OPEN = "state IN ('scheduled', 'running')"
_HELD = "id = :id AND fence = :fence AND state = 'running'"

SQL: Mapping[str, str] = {
    "tasks.add": f"""INSERT INTO tasks ({_COLUMNS.removeprefix("seq, ")})
        VALUES (:id, :name, :payload, :trace, :order_key, :policy, 'scheduled', 0, :max_attempts, NULL, 0, :due,
            0, NULL, :now, :now, NULL)""",
    "tasks.load": f"SELECT {_COLUMNS} FROM tasks WHERE id = :id",
    "tasks.next_due": f"SELECT MIN(due_ms) FROM tasks WHERE {_OPEN}",
    "tasks.bury": """UPDATE tasks
        SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' ELSE 'failed' END,
            last_error = CASE WHEN cancel_requested = 1 THEN last_error ELSE 'out_of_attempts' END,
            owner = NULL, fence = fence + 1, updated_ms = :now, expires_ms = :expires
        WHERE state = 'running' AND due_ms <= :now AND (attempts >= max_attempts OR cancel_requested = 1)
        RETURNING id, name, state, attempts""",
    "tasks.take": f"""WITH due AS (
            SELECT t.seq FROM tasks t
            WHERE t.{_OPEN} AND t.due_ms <= :now AND t.attempts < t.max_attempts
            AND (t.state = 'running' OR (
                NOT EXISTS (SELECT 1 FROM tasks r WHERE r.order_key = t.order_key AND r.state = 'running')
                AND NOT EXISTS (SELECT 1 FROM tasks p
                    WHERE p.order_key = t.order_key AND p.seq < t.seq AND p.{_OPEN})))
            ORDER BY t.due_ms, t.seq LIMIT :limit {{skip_locked}})
        UPDATE tasks SET state = 'running', attempts = attempts + 1, fence = fence + 1, owner = :owner,
            due_ms = :lease_until, updated_ms = :now
        WHERE seq IN (SELECT seq FROM due)
        RETURNING {_TAKEN}""",
    "tasks.renew": """UPDATE tasks SET due_ms = :lease_until WHERE owner = :owner AND state = 'running'
        RETURNING id, fence, cancel_requested""",
    "tasks.load_to_cancel": """SELECT id, fence, cancel_requested FROM tasks
        WHERE owner = :owner AND state = 'running' AND cancel_requested = 1""",
    "tasks.end": f"""UPDATE tasks SET state = :state, last_error = :error, owner = NULL, updated_ms = :now,
            expires_ms = :expires
        WHERE {_HELD}""",
    "tasks.put_back": f"""UPDATE tasks
        SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' ELSE 'scheduled' END,
            attempts = attempts - :refund, due_ms = :due, last_error = COALESCE(:error, last_error), owner = NULL,
            updated_ms = :now, expires_ms = CASE WHEN cancel_requested = 1 THEN CAST(:expires AS BIGINT) END
        WHERE {_HELD}""",
    "tasks.free_others": """UPDATE tasks SET due_ms = :now
        WHERE state = 'running' AND owner <> :owner AND due_ms > :now""",
    "tasks.bring_forward": f"""UPDATE tasks SET due_ms = :now, updated_ms = :now
        WHERE {_OPEN} AND state = 'scheduled' AND due_ms > :now AND updated_ms - {SET_BACK_MS} > :now
        AND (attempts > 0 OR due_ms <= created_ms)""",
    "tasks.cancel": f"""UPDATE tasks
        SET state = CASE state WHEN 'scheduled' THEN 'cancelled' ELSE state END,
            expires_ms = CASE state WHEN 'scheduled' THEN CAST(:expires AS BIGINT) END,
            cancel_requested = 1, updated_ms = :now
        WHERE id = :id AND {_OPEN}
        RETURNING id""",
    "tasks.load_dead": f"""SELECT {_COLUMNS} FROM tasks WHERE state = 'failed' AND seq > :after
        ORDER BY seq LIMIT :limit""",
    "tasks.revive": """UPDATE tasks SET state = 'scheduled', attempts = 0, due_ms = :now, updated_ms = :now,
            expires_ms = NULL
        WHERE id = :id AND state = 'failed'""",
    "tasks.drop": "DELETE FROM tasks WHERE id = :id AND state = 'failed'",
    "tasks.count": "SELECT state, COUNT(*) FROM tasks GROUP BY state ORDER BY state",
    "tasks.expire": """DELETE FROM tasks WHERE seq IN (
        SELECT seq FROM tasks WHERE expires_ms <= :now ORDER BY expires_ms LIMIT :limit) RETURNING 1""",
}


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task as the store knows it.

    Args:
        seq: Its place in the order of scheduling.
        id: Its id, stable over all attempts.
        name: Which handler runs it.
        payload: JSON text.
        trace: JSON text of the trace context that it was scheduled in.
        order_key: What it keeps its order with, or None.
        policy: JSON text of its retry policy.
        state: Where it stands.
        attempts: Times it was claimed.
        max_attempts: Times it may be claimed.
        owner: The runner that holds it.
        fence: Number of its last claim, which every change of a running task names.
        due_ms: When it is due, or when the lease of its runner ends.
        cancel_requested: 1 once somebody asked for its end, else 0.
        last_error: Name of what failed last.
        created_ms: When it was scheduled.
        updated_ms: When it last changed.
        expires_ms: When it may be removed, once it ended.
    """

    seq: int
    id: str
    name: str
    payload: str
    trace: str | None
    order_key: str | None
    policy: str
    state: TaskState
    attempts: int
    max_attempts: int
    owner: str | None
    fence: int
    due_ms: int
    cancel_requested: int
    last_error: str | None
    created_ms: int
    updated_ms: int
    expires_ms: int | None


@dataclass(frozen=True, slots=True)
class TakenTask:
    """A task in the hands of one runner; the fields mean what they mean in `StoredTask`."""

    seq: int
    id: str
    name: str
    payload: str
    trace: str | None
    order_key: str | None
    policy: str
    attempts: int
    max_attempts: int
    fence: int


class BuriedTask(NamedTuple):
    """A task that ended because nobody may run it any more."""

    id: str
    name: str
    state: TaskEnd
    attempts: int


class HeldTask(NamedTuple):
    """A task that a runner holds."""

    id: str
    fence: int
    cancel_requested: int


def add_task(
    *,
    id: str,
    name: str,
    payload: str,
    trace: str | None,
    order_key: str | None,
    policy: str,
    max_attempts: int,
    due_ms: int,
    now_ms: int,
) -> Statement:
    """Schedules a task, in whatever unit this stands in; conflicts where the id is taken."""
    params = {
        "id": id,
        "name": name,
        "payload": payload,
        "trace": trace,
        "order_key": order_key,
        "policy": policy,
        "max_attempts": max_attempts,
        "due": due_ms,
        "now": now_ms,
    }
    return Statement("tasks.add", params, 1)


def load_task(id: str) -> Statement:
    """The task of that id; read the rows with `read_task`."""
    return Statement("tasks.load", {"id": id})


def next_due_task() -> Statement:
    """When the next task is due or the next lease ends; read the rows with `read_due_ms`."""
    return Statement("tasks.next_due", {})


def bury_tasks(*, now_ms: int, expires_ms: int) -> Statement:
    """Ends tasks whose runner is gone and that may not be run again: no attempt is left, or they were to be cancelled.

    Read the rows with `read_buried`.
    """
    return Statement("tasks.bury", {"now": now_ms, "expires": expires_ms})


def take_tasks(owner: str, *, now_ms: int, lease_until_ms: int, limit: int) -> Statement:
    """Claims up to `limit` due tasks, at most the first of each key; read the rows with `read_taken`.

    Put `bury_tasks` before it in the unit: a task without attempts left is not claimed, and its key waits for its end.
    Conflicts where two runners claim tasks of one key at the same moment; the loser may try again at once.
    """
    params = {"owner": owner, "now": now_ms, "lease_until": lease_until_ms, "limit": limit}
    return Statement("tasks.take", params)


def renew_tasks(owner: str, *, lease_until_ms: int) -> Statement:
    """Prolongs the leases of all that a runner holds; read the rows with `read_held`."""
    return Statement("tasks.renew", {"owner": owner, "lease_until": lease_until_ms})


def load_tasks_to_cancel(owner: str) -> Statement:
    """What a runner holds and somebody has cancelled; read the rows with `read_held`."""
    return Statement("tasks.load_to_cancel", {"owner": owner})


def end_task(
    id: str, fence: int, state: TaskEnd, *, error: str | None = None, now_ms: int, expires_ms: int
) -> Statement:
    """Ends a running task; conflicts where it was claimed anew."""
    params = {"id": id, "fence": fence, "state": state, "error": error, "now": now_ms, "expires": expires_ms}
    return Statement("tasks.end", params, 1)


def retry_task(id: str, fence: int, *, error: str, due_ms: int, now_ms: int, expires_ms: int) -> Statement:
    """Puts a task back that failed, due at `due_ms`; one that is to be cancelled ends. Conflicts as `end_task` does."""
    params = {"id": id, "fence": fence, "error": error, "due": due_ms, "now": now_ms, "expires": expires_ms}
    return Statement("tasks.put_back", {**params, "refund": 0}, 1)


def give_back_task(id: str, fence: int, *, now_ms: int, expires_ms: int) -> Statement:
    """Puts a task back that a drain cut off, due at once, its attempt not counted (contract 1.7)."""
    params = {"id": id, "fence": fence, "error": None, "due": now_ms, "now": now_ms, "expires": expires_ms}
    return Statement("tasks.put_back", {**params, "refund": 1}, 1)


def free_tasks_of_others(owner: str, *, now_ms: int) -> Statement:
    """Ends the leases of all other runners; only for one that has the store to itself."""
    return Statement("tasks.free_others", {"owner": owner, "now": now_ms})


def bring_tasks_forward(*, now_ms: int) -> Statement:
    """Makes due what waits for its start or its next try by a clock that was set back; delays that were asked for stay."""
    return Statement("tasks.bring_forward", {"now": now_ms})


def cancel_task(id: str, *, now_ms: int, expires_ms: int) -> Statement:
    """Cancels a scheduled task, asks the runner of a running one to; returns a row, or none if it has ended."""
    return Statement("tasks.cancel", {"id": id, "now": now_ms, "expires": expires_ms})


def load_dead_tasks(*, after: int = 0, limit: int = 100) -> Statement:
    """Tasks that failed, behind the place `after`, in the order of scheduling; read the rows with `read_tasks`."""
    return Statement("tasks.load_dead", {"after": after, "limit": limit})


def revive_task(id: str, *, now_ms: int) -> Statement:
    """Schedules a task that failed anew, with all its attempts; conflicts where it has not failed."""
    return Statement("tasks.revive", {"id": id, "now": now_ms}, 1)


def drop_task(id: str) -> Statement:
    """Removes a task that failed; conflicts where it has not."""
    return Statement("tasks.drop", {"id": id}, 1)


def count_tasks() -> Statement:
    """How many tasks are in each state; read the rows with `read_counts` of `tables.events`."""
    return Statement("tasks.count", {})


def expire_tasks(now_ms: int, limit: int) -> Statement:
    """Removes up to `limit` ended tasks past their time."""
    return Statement("tasks.expire", {"now": now_ms, "limit": limit})


def read_task(rows: Rows) -> StoredTask | None:
    """The one task of `load_task`, or None."""
    return StoredTask(*rows[0]) if rows else None


def read_tasks(rows: Rows) -> list[StoredTask]:
    """The tasks of `load_dead_tasks`, in the order of scheduling."""
    return [StoredTask(*row) for row in sorted(rows)]


def read_taken(rows: Rows) -> list[TakenTask]:
    """The tasks of `take_tasks`, in the order of scheduling."""
    return [TakenTask(*row) for row in sorted(rows)]


def read_buried(rows: Rows) -> list[BuriedTask]:
    """The tasks of `bury_tasks`."""
    return [BuriedTask(*row) for row in rows]


def read_held(rows: Rows) -> list[HeldTask]:
    """The tasks of `renew_tasks` or `load_tasks_to_cancel`."""
    return [HeldTask(*row) for row in rows]


def read_due_ms(rows: Rows) -> int | None:
    """The time of `next_due_task`, or None where nothing is open."""
    return rows[0][0]
