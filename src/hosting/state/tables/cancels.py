"""Asks the host that runs a turn to cancel it (contract 6.7, 6.8)."""

from __future__ import annotations

from collections.abc import Mapping

from ..base import Rows, Statement

TOPIC = "cancels"
"""What those wait for who may be asked."""

SQL: Mapping[str, str] = {
    "cancels.ask": """INSERT INTO cancels (asked_for, reason, until_ms) VALUES (:asked_for, :reason, :until)
        ON CONFLICT (asked_for) DO UPDATE SET reason = excluded.reason, until_ms = excluded.until_ms""",
    "cancels.load": "SELECT asked_for, reason FROM cancels WHERE until_ms > :now",
    "cancels.forget": "DELETE FROM cancels WHERE asked_for = :asked_for",
    "cancels.expire": "DELETE FROM cancels WHERE until_ms <= :now RETURNING 1",
}


def ask_to_cancel(asked_for: str, reason: str, *, until_ms: int) -> Statement:
    """Asks for a turn by the id that it answers under, or that it holds its session by; forgotten after a while.

    Put `signal(TOPIC)` behind it in the unit.
    """
    return Statement("cancels.ask", {"asked_for": asked_for, "reason": reason, "until": until_ms})


def load_cancels(*, now_ms: int) -> Statement:
    """All that was asked; read the rows with `read_cancels`."""
    return Statement("cancels.load", {"now": now_ms})


def forget_cancel(asked_for: str) -> Statement:
    """The turn was told."""
    return Statement("cancels.forget", {"asked_for": asked_for})


def expire_cancels(now_ms: int) -> Statement:
    """Removes questions that nobody answered."""
    return Statement("cancels.expire", {"now": now_ms})


def read_cancels(rows: Rows) -> dict[str, str]:
    """The reason by what is asked for."""
    return dict(rows)
