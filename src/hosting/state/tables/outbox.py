"""Replies that have to be sent: added in the turn's own unit, sent in order per destination (contract 4.4, 4.7).

    pending -> sending -> sent       it arrived
                       -> unknown    nobody can say whether it arrived; not repeated
                       -> dead       it will never arrive
                       -> pending    it surely did not arrive; due again later

A delivery waits for the earlier ones of its lane that are pending or sending. Its attempt goes up when it is taken and
fences what is said of it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..base import Rows, Statement
from .instances import DEAD

DeliveryState = Literal["pending", "sending", "sent", "unknown", "dead"]
DeliveryEnd = Literal["sent", "unknown", "dead"]

_COLUMNS = """seq, id, turn_id, channel, destination, lane, payload, state, attempts, native_ids, due_ms,
    created_ms, updated_ms, expires_ms"""
_SET_BACK_MS = 60_000
"""A delivery that was put back so long from now in the future: the clock was set back since, and it is due."""

_HELD = "id = :id AND attempts = :attempt AND state = 'sending'"

SQL: Mapping[str, str] = {
    "outbox.add": """INSERT INTO outbox (id, turn_id, channel, destination, lane, payload, state, attempts, native_ids,
            due_ms, created_ms, updated_ms, expires_ms)
        VALUES (:id, :turn_id, :channel, :destination, :lane, :payload, 'pending', 0, :native_ids,
            :due, :now, :now, :expires)""",
    "outbox.load": f"SELECT {_COLUMNS} FROM outbox WHERE id = :id",
    "outbox.load_of_turn": f"SELECT {_COLUMNS} FROM outbox WHERE turn_id = :turn_id ORDER BY seq",
    "outbox.load_stuck": f"""SELECT {_COLUMNS} FROM outbox
        WHERE state IN ('pending', 'sending') AND state = 'sending' AND {DEAD.format(owner="outbox.owner")}
        ORDER BY seq LIMIT :limit""",
    "outbox.next_due": "SELECT MIN(due_ms) FROM outbox WHERE state IN ('pending', 'sending') AND state = 'pending'",
    "outbox.take": f"""UPDATE outbox
        SET state = 'sending', attempts = attempts + 1, owner = :owner, updated_ms = :now
        WHERE seq IN (
            SELECT o.seq FROM outbox o
            WHERE o.state IN ('pending', 'sending') AND o.state = 'pending'
            AND (o.due_ms <= :now OR o.updated_ms - {_SET_BACK_MS} > :now)
            AND NOT EXISTS (SELECT 1 FROM outbox p
                WHERE p.lane = o.lane AND p.seq < o.seq AND p.state IN ('pending', 'sending'))
            ORDER BY o.seq LIMIT :limit {{skip_locked}})
        RETURNING {_COLUMNS}""",
    "outbox.note_native_ids": f"UPDATE outbox SET native_ids = :native_ids, updated_ms = :now WHERE {_HELD}",
    "outbox.end": f"""UPDATE outbox SET state = :state, native_ids = COALESCE(:native_ids, native_ids), updated_ms = :now
        WHERE {_HELD}""",
    "outbox.retry": f"""UPDATE outbox SET state = 'pending', due_ms = :due, owner = NULL, updated_ms = :now
        WHERE {_HELD}""",
    "outbox.load_lost": f"""SELECT {_COLUMNS} FROM outbox WHERE state IN ('dead', 'unknown') AND seq > :after
        ORDER BY seq LIMIT :limit""",
    "outbox.revive": """UPDATE outbox SET state = 'pending', attempts = 0, due_ms = :now, owner = NULL, updated_ms = :now,
            expires_ms = :expires
        WHERE id = :id AND state IN ('dead', 'unknown')""",
    "outbox.drop": "DELETE FROM outbox WHERE id = :id AND state IN ('dead', 'unknown')",
    "outbox.count": "SELECT state, COUNT(*) FROM outbox GROUP BY state ORDER BY state",
    "outbox.expire": """DELETE FROM outbox WHERE seq IN (
        SELECT seq FROM outbox WHERE expires_ms <= :now AND state IN ('sent', 'unknown', 'dead')
        ORDER BY expires_ms LIMIT :limit) RETURNING 1""",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One reply on its way to one destination.

    Args:
        seq: Its place in the order of adding.
        id: Its id, stable over all attempts.
        turn_id: The turn whose reply it is.
        channel: The channel that sends it.
        destination: JSON text.
        lane: What it keeps its order with: one text per destination.
        payload: JSON text of what the response hook left.
        state: Where it stands.
        attempts: Times it was taken.
        native_ids: JSON list of the platform's ids of what was sent.
        due_ms: Not to be sent before.
        created_ms: When it was added.
        updated_ms: When it last changed.
        expires_ms: When the sweep may take it, once it ended.
    """

    seq: int
    id: str
    turn_id: str
    channel: str
    destination: str
    lane: str
    payload: str
    state: DeliveryState
    attempts: int
    native_ids: str
    due_ms: int
    created_ms: int
    updated_ms: int
    expires_ms: int


def add_delivery(
    *,
    id: str,
    turn_id: str,
    channel: str,
    destination: str,
    lane: str,
    payload: str,
    now_ms: int,
    due_ms: int | None = None,
    expires_ms: int,
    native_ids: str = "[]",
) -> Statement:
    """A reply to send, at once or from `due_ms` on; conflicts where the id is taken.

    Args:
        native_ids: JSON list of what a cut-off attempt left visible, for the channel to finish (contract 4.5).
    """
    params = {
        "id": id,
        "turn_id": turn_id,
        "channel": channel,
        "destination": destination,
        "lane": lane,
        "payload": payload,
        "now": now_ms,
        "due": now_ms if due_ms is None else due_ms,
        "expires": expires_ms,
        "native_ids": native_ids,
    }
    return Statement("outbox.add", params, 1)


def load_delivery(id: str) -> Statement:
    """The delivery of that id; read the rows with `read_delivery`."""
    return Statement("outbox.load", {"id": id})


def load_deliveries_of_turn(turn_id: str) -> Statement:
    """All deliveries of a turn, in order; read the rows with `read_deliveries`."""
    return Statement("outbox.load_of_turn", {"turn_id": turn_id})


def take_deliveries(owner: str, *, now_ms: int, limit: int) -> Statement:
    """Takes up to `limit` due deliveries for a living host, at most the first of each lane; see `read_deliveries`."""
    return Statement("outbox.take", {"owner": owner, "now": now_ms, "limit": limit})


def load_stuck_deliveries(*, now_ms: int, limit: int) -> Statement:
    """Deliveries whose sender is gone; read the rows with `read_deliveries`.

    End each as `unknown`, or retry it where the platform honours its idempotency key (contract 4.7).
    """
    return Statement("outbox.load_stuck", {"now": now_ms, "limit": limit})


def next_due_delivery() -> Statement:
    """When the next pending delivery is due; read the rows with `read_due_ms`."""
    return Statement("outbox.next_due", {})


def note_native_ids(id: str, attempt: int, native_ids: str, *, now_ms: int) -> Statement:
    """Keeps the ids of what is visible so far, before the send ends (contract 4.5)."""
    params = {"id": id, "attempt": attempt, "native_ids": native_ids, "now": now_ms}
    return Statement("outbox.note_native_ids", params, 1)


def end_delivery(
    id: str, attempt: int, state: DeliveryEnd, *, native_ids: str | None = None, now_ms: int
) -> Statement:
    """Ends a delivery; without `native_ids` (a JSON list) those noted stay. Conflicts where another attempt was begun."""
    params = {"id": id, "attempt": attempt, "state": state, "native_ids": native_ids, "now": now_ms}
    return Statement("outbox.end", params, 1)


def retry_delivery(id: str, attempt: int, *, due_ms: int, now_ms: int) -> Statement:
    """Puts a delivery that surely did not arrive back, due at `due_ms`; later ones of its lane go on waiting."""
    return Statement("outbox.retry", {"id": id, "attempt": attempt, "due": due_ms, "now": now_ms}, 1)


def load_lost_deliveries(*, after: int = 0, limit: int = 100) -> Statement:
    """Deliveries that ended `dead` or `unknown`, behind the place `after`; read the rows with `read_deliveries`."""
    return Statement("outbox.load_lost", {"after": after, "limit": limit})


def revive_delivery(id: str, *, now_ms: int, expires_ms: int) -> Statement:
    """Sends a lost delivery again; one that was `unknown` may then be seen twice. Conflicts where it is not lost."""
    return Statement("outbox.revive", {"id": id, "now": now_ms, "expires": expires_ms}, 1)


def drop_delivery(id: str) -> Statement:
    """Removes a lost delivery; conflicts where it is not lost."""
    return Statement("outbox.drop", {"id": id}, 1)


def count_deliveries() -> Statement:
    """How many deliveries are in each state; read the rows with `read_counts` of `tables.events`."""
    return Statement("outbox.count", {})


def expire_deliveries(now_ms: int, limit: int) -> Statement:
    """Removes up to `limit` ended deliveries past their time."""
    return Statement("outbox.expire", {"now": now_ms, "limit": limit})


def read_delivery(rows: Rows) -> Delivery | None:
    """The one delivery of `load_delivery`, or None."""
    return Delivery(*rows[0]) if rows else None


def read_deliveries(rows: Rows) -> list[Delivery]:
    """The deliveries of a take or a load, in the order of adding."""
    return [Delivery(*row) for row in sorted(rows)]


def read_due_ms(rows: Rows) -> int | None:
    """The time of `next_due_delivery`, or None where nothing is pending."""
    return rows[0][0]
