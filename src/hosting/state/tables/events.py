"""Work that waits for a host: claimed once, taken in claim order per lane, by a fence (contract 4.3, 4.8, 12).

queued -> running -> done      its turn ended, well or not
                  -> settled   refused or ignored: no turn, not run again
                  -> dead      out of attempts, or not to be processed
running -> queued              cut off by a shutdown; the attempt is given back
running -> running             taken over from a host that is gone; attempt and fence go up
dead    -> queued              an operator tries it again

Events of platforms have the kind `event`, background runs the kind `run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..base import Rows, Statement
from .instances import DEAD

EventKind = Literal["event", "run"]
EventEnd = Literal["done", "settled", "dead"]

_TAKEN = "seq, kind, channel, delivery_id, lane, payload, attempts, fence, claimed_ms, seen"
_HELD = "seq = :seq AND fence = :fence AND state = 'running'"

SQL: Mapping[str, str] = {
    "events.claim": """INSERT INTO events (kind, channel, delivery_id, lane, payload, state, attempts, fence,
            claimed_ms, expires_ms)
        VALUES (:kind, :channel, :delivery_id, :lane, :payload, 'queued', 0, 0, :now, :expires)
        ON CONFLICT DO NOTHING RETURNING seq""",
    "events.take": f"""UPDATE events
        SET state = 'running', attempts = attempts + 1, fence = fence + 1, owner = :owner
        WHERE seq IN (
            SELECT e.seq FROM events e
            WHERE e.state IN ('queued', 'running') AND (e.state = 'queued' OR {DEAD.format(owner="e.owner")})
            AND NOT EXISTS (SELECT 1 FROM events p
                WHERE p.lane = e.lane AND p.seq < e.seq AND p.state IN ('queued', 'running'))
            ORDER BY e.seq LIMIT :limit {{skip_locked}})
        RETURNING {_TAKEN}""",
    "events.take_passing": f"""UPDATE events
        SET state = 'running', attempts = attempts + 1, fence = fence + 1, owner = :owner
        WHERE seq IN (
            SELECT e.seq FROM events e
            WHERE e.state IN ('queued', 'running') AND e.state = 'queued' AND e.lane IS NULL AND e.kind = 'event'
            ORDER BY e.seq LIMIT :limit {{skip_locked}})
        RETURNING {_TAKEN}""",
    "events.mark_seen": f"UPDATE events SET seen = :seen WHERE {_HELD}",
    "events.requeue": f"UPDATE events SET state = 'queued', attempts = attempts - 1, owner = NULL WHERE {_HELD}",
    "events.retry": f"UPDATE events SET state = 'queued', owner = NULL WHERE {_HELD}",
    "events.end": f"UPDATE events SET state = :state, owner = NULL WHERE {_HELD}",
    "events.load_open": """SELECT state FROM events
        WHERE channel = :channel AND delivery_id = :delivery_id AND state IN ('queued', 'running')""",
    "events.load_dead": f"""SELECT {_TAKEN} FROM events WHERE state = 'dead' AND seq > :after
        ORDER BY seq LIMIT :limit""",
    "events.revive": """UPDATE events SET state = 'queued', attempts = 0, seen = NULL, expires_ms = :expires
        WHERE seq = :seq AND state = 'dead'""",
    "events.drop": "UPDATE events SET state = 'settled' WHERE seq = :seq AND state = 'dead'",
    "events.oldest_waiting": """SELECT MIN(claimed_ms) FROM events
        WHERE state IN ('queued', 'running') AND state = 'queued'""",
    "events.count": "SELECT state, COUNT(*) FROM events GROUP BY state ORDER BY state",
    "events.expire": """DELETE FROM events WHERE seq IN (
        SELECT seq FROM events WHERE expires_ms <= :now AND state IN ('done', 'settled', 'dead')
        ORDER BY expires_ms LIMIT :limit) RETURNING 1""",
}


@dataclass(frozen=True, slots=True)
class TakenEvent:
    """Work in the hands of one host, or one found dead.

    Args:
        seq: Its place in claim order.
        kind: `event` or `run`.
        channel: Name of its channel.
        delivery_id: The platform's event id, or the id of the run.
        lane: Its lane, or None where it may pass all others.
        payload: JSON text in native form.
        attempts: Times it was taken, this one included.
        fence: Number that everything said of it must name.
        claimed_ms: When it was accepted.
        seen: JSON list of the platform's ids of what was shown, "[]" where that is not known; None while nothing was.
    """

    seq: int
    kind: EventKind
    channel: str
    delivery_id: str
    lane: str | None
    payload: str
    attempts: int
    fence: int
    claimed_ms: int
    seen: str | None


def claim_event(
    *,
    channel: str,
    delivery_id: str,
    lane: str | None,
    payload: str,
    now_ms: int,
    expires_ms: int,
    kind: EventKind = "event",
) -> Statement:
    """Claims and stores work; returns a row if it is new, none if it was seen before (contract 4.3)."""
    params = {
        "kind": kind,
        "channel": channel,
        "delivery_id": delivery_id,
        "lane": lane,
        "payload": payload,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("events.claim", params)


def take_events(owner: str, *, now_ms: int, limit: int) -> Statement:
    """Takes up to `limit` events for a living host, at most the first of each lane; read the rows with `read_events`.

    What a host held that is gone is taken over. Look at `attempts` and `seen` before it is run again (contract 4.5).
    """
    return Statement("events.take", {"owner": owner, "now": now_ms, "limit": limit})


def take_passing_events(owner: str, *, limit: int) -> Statement:
    """As `take_events`, but only events of platforms that pass all lanes, such as `/stop` (contract 4.8)."""
    return Statement("events.take_passing", {"owner": owner, "limit": limit})


def mark_event_seen(seq: int, fence: int, seen: str) -> Statement:
    """Says that output is about to be shown, or under which native ids it was; conflicts where it was taken over."""
    return Statement("events.mark_seen", {"seq": seq, "fence": fence, "seen": seen}, 1)


def requeue_event(seq: int, fence: int) -> Statement:
    """Gives an event back with its attempt, at a shutdown (contract 1.7); conflicts where it was taken over."""
    return Statement("events.requeue", {"seq": seq, "fence": fence}, 1)


def retry_event(seq: int, fence: int) -> Statement:
    """Puts an event back in line, its attempt counted; conflicts where it was taken over."""
    return Statement("events.retry", {"seq": seq, "fence": fence}, 1)


def end_event(seq: int, fence: int, state: EventEnd) -> Statement:
    """Ends an event, in the turn's own unit; conflicts where it was taken over."""
    return Statement("events.end", {"seq": seq, "fence": fence, "state": state}, 1)


def load_open_event(channel: str, delivery_id: str) -> Statement:
    """Where an event stands that has not ended; read the rows with `read_open_state`."""
    return Statement("events.load_open", {"channel": channel, "delivery_id": delivery_id})


def load_dead_events(*, after: int = 0, limit: int = 100) -> Statement:
    """Dead events behind the place `after`, in claim order; read the rows with `read_events`."""
    return Statement("events.load_dead", {"after": after, "limit": limit})


def revive_event(seq: int, *, expires_ms: int) -> Statement:
    """Puts a dead event back in line with all its attempts; conflicts where it is not dead."""
    return Statement("events.revive", {"seq": seq, "expires": expires_ms}, 1)


def drop_event(seq: int) -> Statement:
    """Settles a dead event for good; the same delivery still counts as seen. Conflicts where it is not dead."""
    return Statement("events.drop", {"seq": seq}, 1)


def oldest_waiting_event() -> Statement:
    """When the event that waits longest was accepted; read the rows with `read_claimed_ms`."""
    return Statement("events.oldest_waiting", {})


def count_events() -> Statement:
    """How many events are in each state; read the rows with `read_counts`."""
    return Statement("events.count", {})


def expire_events(now_ms: int, limit: int) -> Statement:
    """Removes up to `limit` ended events past their time; from then on the same delivery would count as new."""
    return Statement("events.expire", {"now": now_ms, "limit": limit})


def read_open_state(rows: Rows) -> str | None:
    """`queued` or `running`; None where the event has ended or is not there."""
    return rows[0][0] if rows else None


def read_events(rows: Rows) -> list[TakenEvent]:
    """The events of a take or a load, in claim order."""
    return [TakenEvent(*row) for row in sorted(rows)]


def read_claimed_ms(rows: Rows) -> int | None:
    """The time of `oldest_waiting_event`, or None where none waits."""
    return rows[0][0]


def read_counts(rows: Rows) -> dict[str, int]:
    """Rows by state."""
    return dict(rows)
