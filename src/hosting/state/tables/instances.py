"""Running hosts on one store: each keeps one row alive, and what a dead one held is free (contract 4.3, 6.7).

A row lasts for a lease and is renewed well before. Whatever a host takes (an event, a delivery, a session) names the
host as its owner and carries a fence of its own; others may take it once the owner's row has run out or is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ..base import Rows, Statement

DEAD = "NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = {owner} AND i.until_ms > :now)"
"""For a statement's text: whether the host named by the column `{owner}` is gone; needs the parameter `now`."""

SQL: Mapping[str, str] = {
    "instances.keep": """INSERT INTO instances (id, until_ms, started_ms) VALUES (:id, :until, :now)
        ON CONFLICT (id) DO UPDATE SET until_ms = excluded.until_ms""",
    "instances.leave": "DELETE FROM instances WHERE id = :id",
    "instances.leave_all": "DELETE FROM instances WHERE id <> :id",
    "instances.leave_unrenewed": "DELETE FROM instances WHERE id = :id AND until_ms = :until",
    "instances.load_ahead": "SELECT id, until_ms FROM instances WHERE id <> :id AND until_ms > :after",
    "instances.count": "SELECT COUNT(*) FROM instances WHERE until_ms > :now",
    "instances.next_end": "SELECT MIN(until_ms) FROM instances WHERE id <> :id",
    "instances.is_alive": "SELECT 1 FROM instances WHERE id = :id AND until_ms > :now",
    "instances.clock": "SELECT CAST(CURRENT_TIMESTAMP AS TEXT)",
    "instances.expire": "DELETE FROM instances WHERE until_ms <= :before RETURNING 1",
}


def keep_instance(id: str, *, now_ms: int, until_ms: int) -> Statement:
    """Begins or prolongs the life of a host."""
    return Statement("instances.keep", {"id": id, "now": now_ms, "until": until_ms}, 1)


def leave_instance(id: str) -> Statement:
    """Ends the life of a host: what it still holds is free at once."""
    return Statement("instances.leave", {"id": id})


def leave_all_but(id: str) -> Statement:
    """Ends the life of all other hosts; only for one that has the store to itself."""
    return Statement("instances.leave_all", {"id": id})


def leave_unrenewed(id: str, until_ms: int) -> Statement:
    """Ends the life of another host, unless it has renewed its lease since that was seen."""
    return Statement("instances.leave_unrenewed", {"id": id, "until": until_ms})


def load_ahead(id: str, *, after_ms: int) -> Statement:
    """Other hosts whose lease ends later than that; read the rows with `read_leases`."""
    return Statement("instances.load_ahead", {"id": id, "after": after_ms})


def count_instances(*, now_ms: int) -> Statement:
    """How many hosts live; read the rows with `read_number`."""
    return Statement("instances.count", {"now": now_ms})


def next_end_of_others(id: str) -> Statement:
    """When the first other host is gone if it does not renew; read the rows with `read_number`."""
    return Statement("instances.next_end", {"id": id})


def load_alive(id: str, *, now_ms: int) -> Statement:
    """Returns a row while the host lives."""
    return Statement("instances.is_alive", {"id": id, "now": now_ms})


def load_clock() -> Statement:
    """The store's own time; read the rows with `read_clock`."""
    return Statement("instances.clock", {})


def expire_instances(before_ms: int) -> Statement:
    """Removes rows of hosts that have been gone since then."""
    return Statement("instances.expire", {"before": before_ms})


def read_leases(rows: Rows) -> dict[str, int]:
    """The end of each lease of `load_ahead`, by host."""
    return dict(rows)


def read_number(rows: Rows) -> int | None:
    """The one number of a count or a time, or None."""
    return rows[0][0] if rows else None


def read_clock(rows: Rows) -> datetime:
    """The time of `load_clock`, in UTC where the engine names no other zone."""
    found = datetime.fromisoformat(rows[0][0])
    return found if found.tzinfo else found.replace(tzinfo=UTC)
