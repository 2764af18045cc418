"""What PostgreSQL refuses, as the errors that callers of a store know."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import pq

from ..errors import StateConflict, StateCorrupt, StateError, StateOutcomeUnknown, StateUnavailable
from .texts import found_instead

AGAIN = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the same unit may pass on a new snapshot."""

_CONSTRAINT = "23"
_AWAY = ("08", "53", "57", "58", "25006", "25P03", "25P04", "28", "3D000", "42501", "55P03")
"""Classes and codes: connection, resources, operator, disk, read-only, time limits, login, database, rights, locks."""

_DAMAGED = ("XX001", "XX002")
_LOST_PREPARED = ("26000", "42P05")
_SEVERE = ("FATAL", "PANIC")


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """One statement's error, as the server put it.

    Args:
        statement: Name of the statement, or of a step of the transaction.
        code: SQLSTATE.
        severity: `ERROR`, or `FATAL` and `PANIC`, after which the connection is gone.
        message: The server's primary message.
    """

    statement: str
    code: str
    severity: str
    message: str

    @property
    def is_fatal(self) -> bool:
        return self.severity in _SEVERE


class ConnectionLost(Exception):
    """The connection broke.

    Args:
        detail: How.
        decided: Whether the commit may have reached the server.
    """

    def __init__(self, detail: str, *, decided: bool) -> None:
        super().__init__(detail)
        self.decided = decided


def refusal(statement: str, result: pq.abc.PGresult) -> Refusal:
    """The error that a result carries."""
    field = pq.DiagnosticField
    return Refusal(
        statement=statement,
        code=_field(result, field.SQLSTATE),
        severity=_field(result, field.SEVERITY_NONLOCALIZED) or _field(result, field.SEVERITY),
        message=_field(result, field.MESSAGE_PRIMARY),
    )


def state_error(refused: Refusal, place: str) -> StateError:
    """A refusal as the error that `execute` raises."""
    detail = f"{refused.message} ({refused.code})"
    if refused.code.startswith(_CONSTRAINT):
        return StateConflict(refused.statement, detail)
    if refused.code.startswith(_AWAY) or refused.code in AGAIN or refused.is_fatal:
        return StateUnavailable(f"{place}: {refused.statement}: {detail}")
    if refused.code in _DAMAGED:
        return StateCorrupt(
            f"{place}: found a damaged table or index ({detail}). Stop every host that uses it and restore a copy."
        )
    if refused.code in _LOST_PREPARED:
        return StateError(
            f"{place}: {refused.statement}: {detail}. Between the host and the server stands a pooler that changes "
            "connections between transactions: use PostgresHostStateStore(url, prepare=False)"
        )
    return StateError(f"{place}: {refused.statement}: {detail}")


def missed(refused: Refusal) -> StateConflict | None:
    """The conflict of a statement that changed another number of rows than it must; None for any other error."""
    found = found_instead(refused.message) if refused.code == "22P02" else None
    return StateConflict(refused.statement, found) if found else None


def loss(lost: ConnectionLost, place: str) -> StateUnavailable:
    """A broken connection as the error that `execute` raises."""
    if lost.decided:
        return StateOutcomeUnknown(
            f"{place}: the connection broke while the unit was being committed ({lost}): it was kept whole or not at "
            "all, and nobody can say which without reading"
        )
    return StateUnavailable(f"{place}: the connection broke ({lost}); nothing of the unit was kept")


def connect_error(error: psycopg.Error, place: str) -> StateUnavailable:
    """A connection that could not be made. The server's words hold no password."""
    said = " ".join(str(error).split()).rstrip(".")
    return StateUnavailable(f"{place}: {said}. Check the address, the server and the login.")


def _field(result: pq.abc.PGresult, field: pq.DiagnosticField) -> str:
    return (result.error_field(field) or b"").decode(errors="replace")
