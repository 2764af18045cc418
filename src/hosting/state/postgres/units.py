"""Runs one unit on a connection as one transaction, in one round trip where it can.

Isolation. Every unit runs under REPEATABLE READ, on a snapshot taken at its first statement. A statement that meets a row
which another unit changed since is refused by the server (40001), and the whole unit runs again on a new snapshot. So
what a unit writes it decided on rows as they are, and two units that write a common row take effect one after the other.
What that leaves open are decisions on rows that a unit reads and another writes:

- the first of a lane (`events.take`, `outbox.take`, `tasks.take` look for earlier rows). A row's `seq` is drawn before its
  unit is committed, so a later one might be seen first and taken, and the earlier one then beside it. Units that add to
  one lane therefore wait for each other: they begin with an advisory lock of that lane, released by their end;
- history that nothing needs (`history.expire` looks for children, sessions and snapshots). All three refer to it by foreign
  keys, and the server checks those against the newest rows: the later of the two units is refused, and a broken constraint
  is believed only when it is broken on a new snapshot too;
- the same for sessions that expire while a turn adds a snapshot or a state;
- whether a host lives (`events.take` and others read `instances`), and who waits for a session (`locks.take`): a host that
  comes back to life, or in line, at the same moment comes after. Everything taken has a fence, and a lock is one row;
- what the last holder of a lock saved. A unit that waits for the row of a lock to go (`locks.take`) took its snapshot
  before; so what a lock protects is read in a later unit (`SessionBook.open`);
- whether an attempt still holds its run (`runs.append` reads `runs`): it keeps that row from changing until its own end;
- checkpoints of sessions that do not exist: those were saved a day before, and no unit that makes a session reads them.

Rows that are taken or swept are locked with SKIP LOCKED, so that hosts that do so at once pass each other by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from psycopg.pq.abc import PGresult

from ..base import Rows, Statement
from ..errors import StateConflict, UnknownStatement
from .failures import AGAIN, ConnectionLost, Refusal, missed, refusal, state_error
from .session import Command, Session, failed, rows_of
from .texts import PreparedText, encoded, lanes

_BEGIN = Command(b"begin", b"BEGIN ISOLATION LEVEL REPEATABLE READ")
_COMMIT = Command(b"commit", b"COMMIT")
_ROLLBACK = Command(b"rollback", b"ROLLBACK")
_READ_ONLY = "25006"
_LOCK = b"SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


class Again(Exception):
    """Others changed what the unit read: it was rolled back, and may be run again.

    Args:
        error: What to raise if it is not.
        limit: How often this may be the answer.
    """

    def __init__(self, error: Exception, *, limit: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.limit = limit


class Plan(NamedTuple):
    """A unit, ready to be sent.

    Args:
        unit: Its statements.
        texts: Their texts.
        commands: What is sent for them.
        locks: What is sent before them.
        is_bare: One statement that reads: it needs no frame.
        in_one_go: No result has to be looked at before the commit.
        read_only: Nothing of it changes anything.
    """

    unit: Sequence[Statement]
    texts: Sequence[PreparedText]
    commands: Sequence[Command]
    locks: Sequence[Command]
    is_bare: bool
    in_one_go: bool
    read_only: bool


def plan(unit: Sequence[Statement], texts: Mapping[str, PreparedText], schema: str) -> Plan:
    """Looks a unit's statements up, and its parameters through.

    Raises:
        UnknownStatement: A name is not in the table of statements.
        StateError: A parameter is missing or of a type that no column has.
        ValueError: A text cannot be stored.
    """
    found: list[PreparedText] = []
    commands: list[Command] = []
    for statement in unit:
        text = texts.get(statement.name)
        if text is None:
            raise UnknownStatement(statement.name)
        found.append(text)
        commands.append(_command(text, statement))
    read_only = all(text.read_only for text in found)
    pairs = list(zip(found, unit, strict=True))
    return Plan(
        unit=unit,
        texts=found,
        commands=commands,
        locks=[Command(b"lock", _LOCK, [lane]) for lane in lanes(pairs, schema)],
        is_bare=read_only and len(unit) == 1,
        in_one_go=read_only or not any(text.returns_rows and each.expect is not None for text, each in pairs),
        read_only=read_only,
    )


async def run(session: Session, plan: Plan, place: str) -> list[Rows]:
    """Runs a planned unit once.

    Raises:
        StateError: As `HostStateStore.execute` says; nothing of the unit was kept.
        Again: As said there; nothing of the unit was kept.
        ConnectionLost: The connection broke.
    """
    try:
        if plan.is_bare:
            results = await _asked(session, plan.commands, _names(plan))
            return _checked(plan, results)
        before = [_BEGIN, *plan.locks]
        end = [_COMMIT] if plan.in_one_go else []
        names = ["BEGIN", *["lock"] * len(plan.locks), *_names(plan), "COMMIT"]
        results = await _asked(session, [*before, *plan.commands, *end], names)
        rows = _checked(plan, results[len(before) : len(before) + len(plan.unit)])
        if not plan.in_one_go:
            await _asked(session, [_COMMIT], ["COMMIT"])
        return rows
    except Refusal as refused:
        if refused.code == _READ_ONLY:
            session.close()  # the server is a standby now: the next connection may find the new primary
        raise _as_seen_outside(refused, place) from None
    finally:
        if session.usable and session.in_transaction:
            with suppress(ConnectionLost):
                await session.ask([_ROLLBACK])


async def _asked(session: Session, commands: Sequence[Command], names: Iterable[str]) -> list[PGresult]:
    results = await session.ask(commands)
    for name, result in zip(names, results, strict=False):
        if failed(result):
            raise refusal(name, result)
    return results


def _checked(plan: Plan, results: Sequence[PGresult]) -> list[Rows]:
    rows: list[Rows] = []
    for statement, text, result in zip(plan.unit, plan.texts, results, strict=True):
        found = rows_of(result) if text.returns_rows else []
        if text.returns_rows and statement.expect not in (None, len(found)):
            raise StateConflict(statement.name, f"found {len(found)} rows, expected {statement.expect}")
        rows.append(found)
    return rows


def _as_seen_outside(refused: Refusal, place: str) -> Exception:
    conflict = missed(refused)
    if conflict is not None:
        return conflict
    error = state_error(refused, place)
    if refused.code in AGAIN:
        return Again(error, limit=100)
    return Again(error, limit=1) if isinstance(error, StateConflict) else error


def _names(plan: Plan) -> Iterable[str]:
    return (statement.name for statement in plan.unit)


def _command(text: PreparedText, statement: Statement) -> Command:
    params = encoded(text, statement)
    if statement.expect is None or text.expecting is None:
        return Command(text.name.encode(), text.sql, params)
    return Command(b"+" + text.name.encode(), text.expecting, [*params, b"%d" % statement.expect])
