"""Sessions locked by turns of several hosts, first come, first served (contract 4.8, 6.7, 6.8).

A lock names its holder, an id that no other holder ever has, so the holder is its own fence: who lost the lock misses
when it says its name. A lock whose host is gone is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..base import Rows, Statement
from .instances import DEAD

_NAME = "isolation_key = :isolation_key AND key = :key"
_LIVING_WAIT = f"w.isolation_key = :isolation_key AND w.key = :key AND NOT {DEAD.format(owner='w.owner')}"

SQL: Mapping[str, str] = {
    "locks.take": f"""INSERT INTO session_locks (isolation_key, key, holder, owner)
        SELECT :isolation_key, :key, :holder, :owner
        WHERE NOT EXISTS (SELECT 1 FROM session_waits w WHERE {_LIVING_WAIT} AND w.holder <> :holder
            AND NOT EXISTS (SELECT 1 FROM session_waits m WHERE m.holder = :holder
                AND (m.ahead > w.ahead OR (m.ahead = w.ahead AND m.seq < w.seq))))
        ON CONFLICT (isolation_key, key) DO UPDATE SET holder = excluded.holder, owner = excluded.owner
        WHERE {DEAD.format(owner="session_locks.owner")}
        RETURNING holder""",
    "locks.release": f"DELETE FROM session_locks WHERE {_NAME} AND holder = :holder",
    "locks.load": f"""SELECT holder, owner FROM session_locks
        WHERE {_NAME} AND NOT {DEAD.format(owner="session_locks.owner")}""",
    "locks.wait": """INSERT INTO session_waits (isolation_key, key, holder, owner, ahead)
        VALUES (:isolation_key, :key, :holder, :owner, :ahead)""",
    "locks.load_waits": f"SELECT w.holder, w.owner FROM session_waits w WHERE {_LIVING_WAIT}",
    "locks.stop_waiting": "DELETE FROM session_waits WHERE holder = :holder",
    "locks.stop_waiting_with_lock": """DELETE FROM session_waits WHERE holder = :holder
        AND EXISTS (SELECT 1 FROM session_locks l
            WHERE l.isolation_key = session_waits.isolation_key AND l.key = session_waits.key AND l.holder = :holder)""",
    "locks.expire": f"""DELETE FROM session_locks WHERE {DEAD.format(owner="session_locks.owner")} RETURNING 1""",
    "locks.expire_waits": f"""DELETE FROM session_waits WHERE {DEAD.format(owner="session_waits.owner")} RETURNING 1""",
}


class LockHolder(NamedTuple):
    """Who holds a session, or waits for it.

    Args:
        holder: Its own id.
        owner: The host that it runs in.
    """

    holder: str
    owner: str


def take_lock(isolation_key: str, key: str, *, holder: str, owner: str, now_ms: int) -> Statement:
    """Takes a session that is free and that nobody waited for before; returns a row if it did."""
    return Statement("locks.take", _params(isolation_key, key, now_ms) | {"holder": holder, "owner": owner})


def release_lock(isolation_key: str, key: str, holder: str, *, held: bool = True) -> Statement:
    """Lets go of a session; with `held` it conflicts where the lock was lost."""
    params = {"isolation_key": isolation_key, "key": key, "holder": holder}
    return Statement("locks.release", params, 1 if held else None)


def load_lock(isolation_key: str, key: str, *, now_ms: int) -> Statement:
    """Who holds the session; read the rows with `read_holders`."""
    return Statement("locks.load", _params(isolation_key, key, now_ms))


def wait_for_lock(isolation_key: str, key: str, *, holder: str, owner: str, ahead: bool) -> Statement:
    """Gets in line; `ahead` of all who are not, for the answer to an open request."""
    params = {
        "isolation_key": isolation_key,
        "key": key,
        "holder": holder,
        "owner": owner,
        "ahead": int(ahead),
    }
    return Statement("locks.wait", params)


def load_waits(isolation_key: str, key: str, *, now_ms: int) -> Statement:
    """Those in line, in no order; read the rows with `read_holders`."""
    return Statement("locks.load_waits", _params(isolation_key, key, now_ms))


def stop_waiting(holder: str) -> Statement:
    """Leaves the line."""
    return Statement("locks.stop_waiting", {"holder": holder})


def stop_waiting_with_lock(holder: str) -> Statement:
    """Leaves the line if the lock was got."""
    return Statement("locks.stop_waiting_with_lock", {"holder": holder})


def expire_locks(now_ms: int) -> tuple[Statement, ...]:
    """Removes locks and waits of hosts that are gone."""
    return (Statement("locks.expire_waits", {"now": now_ms}), Statement("locks.expire", {"now": now_ms}))


def read_holders(rows: Rows) -> list[LockHolder]:
    """Holders of a load."""
    return [LockHolder(*row) for row in rows]


def _params(isolation_key: str, key: str, now_ms: int) -> dict[str, str | int]:
    return {"isolation_key": isolation_key, "key": key, "now": now_ms}
