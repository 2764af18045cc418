"""Platform events: claimed once, worked on in claim order per lane, under a fenced lease (contract 4.3, 4.8).

queued -> running -> done      the event's turn ended, well or not
                  -> settled   refused or ignored: no turn, not run again
                  -> dead      out of attempts
running -> queued              cut off by a shutdown; the attempt is given back
running -> running             taken over after the lease ran out; attempt and fence go up
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..base import Rows, Statement

EventEnd = Literal["done", "settled", "dead"]

_TAKEN = "seq, channel, delivery_id, lane, payload, attempts, fence, claimed_ms"

SQL: Mapping[str, str] = {
    "events.claim": """INSERT INTO events (channel, delivery_id, lane, payload, state, attempts, fence,
            lease_until_ms, claimed_ms, expires_ms)
        VALUES (:channel, :delivery_id, :lane, :payload, 'queued', 0, 0, 0, :now, :expires)
        ON CONFLICT DO NOTHING RETURNING seq""",
    "events.take": f"""UPDATE events
        SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until_ms = :lease_until
        WHERE seq IN (
            SELECT e.seq FROM events e
            WHERE e.state IN ('queued', 'running') AND (e.state = 'queued' OR e.lease_until_ms <= :now)
            AND NOT EXISTS (SELECT 1 FROM events p
                WHERE p.lane = e.lane AND p.seq < e.seq AND p.state IN ('queued', 'running'))
            ORDER BY e.seq LIMIT :limit {{skip_locked}})
        RETURNING {_TAKEN}""",
    "events.bury": f"""UPDATE events SET state = 'dead', fence = fence + 1
        WHERE state IN ('queued', 'running') AND attempts >= :max_attempts
        AND (state = 'queued' OR lease_until_ms <= :now)
        RETURNING {_TAKEN}""",
    "events.renew": """UPDATE events SET lease_until_ms = :lease_until
        WHERE seq = :seq AND fence = :fence AND state = 'running'""",
    "events.requeue": """UPDATE events SET state = 'queued', attempts = attempts - 1, lease_until_ms = 0
        WHERE seq = :seq AND fence = :fence AND state = 'running'""",
    "events.end": "UPDATE events SET state = :state WHERE seq = :seq AND fence = :fence AND state = 'running'",
    "events.expire": """DELETE FROM events WHERE seq IN (
        SELECT seq FROM events WHERE expires_ms <= :now AND state IN ('done', 'settled', 'dead')
        ORDER BY expires_ms LIMIT :limit) RETURNING 1""",
}


@dataclass(frozen=True, slots=True)
class TakenEvent:
    """An event in the hands of one worker, or one just found dead.

    Args:
        seq: Its place in claim order.
        channel: Name of its channel.
        delivery_id: The platform's event id.
        lane: Its lane, or None where it may pass all others.
        payload: JSON text in native form.
        attempts: Times it was taken, this one included.
        fence: Number that renewing and ending must name.
        claimed_ms: When it was accepted.
    """

    seq: int
    channel: str
    delivery_id: str
    lane: str | None
    payload: str
    attempts: int
    fence: int
    claimed_ms: int


def claim_event(
    *, channel: str, delivery_id: str, lane: str | None, payload: str, now_ms: int, expires_ms: int
) -> Statement:
    """Claims and stores an event; returns a row if it is new, none if it was seen before (contract 4.3)."""
    params = {
        "channel": channel,
        "delivery_id": delivery_id,
        "lane": lane,
        "payload": payload,
        "now": now_ms,
        "expires": expires_ms,
    }
    return Statement("events.claim", params)


def take_events(*, now_ms: int, lease_until_ms: int, limit: int) -> Statement:
    """Takes up to `limit` events, at most the first of each lane; read the rows with `read_events`.

    An event whose lease ran out is taken over. Put `bury_events` before it in the unit, so that one without attempts
    left is not taken again.
    """
    return Statement("events.take", {"now": now_ms, "lease_until": lease_until_ms, "limit": limit})


def bury_events(*, now_ms: int, max_attempts: int) -> Statement:
    """Ends events that nobody holds and that were taken `max_attempts` times; read the rows with `read_events`."""
    return Statement("events.bury", {"now": now_ms, "max_attempts": max_attempts})


def renew_event(seq: int, fence: int, *, lease_until_ms: int) -> Statement:
    """Prolongs the lease; conflicts where the event was taken over."""
    return Statement("events.renew", {"seq": seq, "fence": fence, "lease_until": lease_until_ms}, 1)


def requeue_event(seq: int, fence: int) -> Statement:
    """Gives an event back with its attempt, at a shutdown (contract 1.7); conflicts where it was taken over."""
    return Statement("events.requeue", {"seq": seq, "fence": fence}, 1)


def end_event(seq: int, fence: int, state: EventEnd) -> Statement:
    """Ends an event, in the turn's own unit; conflicts where it was taken over."""
    return Statement("events.end", {"seq": seq, "fence": fence, "state": state}, 1)


def expire_events(now_ms: int, limit: int) -> Statement:
    """Removes up to `limit` ended events past their time; from then on the same delivery would count as new."""
    return Statement("events.expire", {"now": now_ms, "limit": limit})


def read_events(rows: Rows) -> list[TakenEvent]:
    """The events of `take_events` or `bury_events`, in claim order."""
    return [TakenEvent(*row) for row in sorted(rows)]
