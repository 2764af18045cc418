"""One SQLite connection that runs units: what the SQLite store and the memory store share.

Not asynchronous and not safe for two threads at once; the stores see to that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain

from .base import Rows, Statement
from .errors import StateConflict, StateCorrupt, StateError, StateTooNew, StateUnavailable, UnknownStatement
from .schema import SCHEMA_VERSION, migrations_after
from .statements import statement_texts

Unit = Sequence[Statement]

_OLDEST_SQLITE = (3, 35, 0)  # RETURNING
_SERIAL = "INTEGER PRIMARY KEY AUTOINCREMENT"
_TEXTS = statement_texts()
_RETRYABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """Runs units on one connection.

    Args:
        connection: Opened with `isolation_level=None`; this object closes it.
        place: Names the database in errors for the operator.
    """

    def __init__(self, connection: sqlite3.Connection, place: str) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._place = place

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def run(self, unit: Unit) -> list[Rows]:
        """Runs one unit as one transaction.

        Raises:
            StateError: As `HostStateStore.execute` says; nothing of the unit was kept.
        """
        if len(unit) == 1 and unit[0].expect is None:
            return [self._statement(unit[0])]
        self.command(_begin(unit))
        try:
            rows = [self._statement(statement) for statement in unit]
            self.command("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return rows

    def run_batch(self, units: Sequence[Unit]) -> list[list[Rows] | Exception]:
        """Runs several units with one commit; one that fails is rolled back alone, and its place holds the error.

        Where the commit itself fails nothing of any unit was kept, and what each of them saw may be another's work
        that is gone now; so every place holds that error.
        """
        try:
            self.command(_begin(chain.from_iterable(units)))
            outcomes = [self._nested(unit) for unit in units]
            self.command("COMMIT")
        except StateError as error:
            self._roll_back()
            return [StateUnavailable(f"the commit that held this unit failed: {error}") for _ in units]
        except BaseException:
            self._roll_back()
            raise
        return outcomes

    def command(self, sql: str) -> Rows:
        """Runs a text of our own: a setting, the schema, the frame of a transaction."""
        try:
            return self._cursor.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise self._state_error(error, sql.partition(" ")[0]) from error

    def migrate(self) -> None:
        """Brings the schema up to date, in one transaction that no other process can enter.

        Raises:
            StateTooNew: A newer release wrote it.
            StateCorrupt: It holds tables, but not those of a state store.
        """
        if self.version() == SCHEMA_VERSION:
            return
        self.command("BEGIN EXCLUSIVE")
        try:
            version = self.version()
            for text in migrations_after(version, serial=_SERIAL):
                self.command(text)
            if not version:
                self.command("CREATE TABLE schema_version (version BIGINT NOT NULL)")
                self.command("INSERT INTO schema_version (version) VALUES (0)")
            self.command(f"UPDATE schema_version SET version = {SCHEMA_VERSION}")
            self.command("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def version(self) -> int:
        """The version of the schema as it is; 0 for an empty database.

        Raises:
            StateTooNew: A newer release wrote it.
            StateCorrupt: It is damaged, or holds tables but not those of a state store.
        """
        tables = {row[0] for row in self.command("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return 0
        if "schema_version" not in tables:
            raise _not_ours(self._place, f"tables such as {min(tables)!r} and no schema_version")
        rows = self.command("SELECT version FROM schema_version")
        version = rows[0][0] if len(rows) == 1 else None
        if not isinstance(version, int) or version < 1:
            raise _not_ours(self._place, "no version in schema_version")
        if version > SCHEMA_VERSION:
            raise StateTooNew(
                f"{self._place}: found schema version {version}, expected at most {SCHEMA_VERSION}. A newer release "
                "wrote it: upgrade this one, or give it a store of its own."
            )
        return version

    def check(self) -> None:
        """Reads every page.

        Raises:
            StateCorrupt: One of them is damaged.
        """
        findings = self.command("PRAGMA quick_check(1)")
        if findings != [("ok",)]:
            raise _damaged(self._place, str(findings[0][0]))

    def _nested(self, unit: Unit) -> list[Rows] | Exception:
        self.command("SAVEPOINT unit")
        try:
            rows = [self._statement(statement) for statement in unit]
        except Exception as error:
            if not self._connection.in_transaction:
                raise StateUnavailable(f"the engine gave up the transaction: {error}") from error
            self.command("ROLLBACK TO unit")
            self.command("RELEASE unit")
            return error
        self.command("RELEASE unit")
        return rows

    def _statement(self, statement: Statement) -> Rows:
        text = _TEXTS.get(statement.name)
        if text is None:
            raise UnknownStatement(statement.name)
        cursor = self._cursor
        try:
            cursor.execute(text.sql, statement.params)
            rows: Rows = cursor.fetchall() if text.returns_rows else []
        except sqlite3.Error as error:
            raise self._state_error(error, statement.name) from error
        expect = statement.expect
        if expect is not None:
            found = len(rows) if text.returns_rows else cursor.rowcount
            if found != expect:
                raise StateConflict(statement.name, f"found {found} rows, expected {expect}")
        return rows

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.rollback()

    def _state_error(self, error: sqlite3.Error, name: str) -> StateError:
        code: int | None = getattr(error, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if primary == sqlite3.SQLITE_CONSTRAINT:
            return StateConflict(name, str(error))
        if primary in _RETRYABLE:
            return StateUnavailable(f"{self._place}: {name}: {error}")
        if primary in _DAMAGED:
            return _damaged(self._place, str(error))
        return StateError(f"{self._place}: {name}: {error}")


def connect(place: str, *, busy_timeout: float, uri: bool = False) -> sqlite3.Connection:
    """A connection on which only we begin and end transactions; usable from any one thread at a time.

    Args:
        place: A path, `:memory:`, or a SQLite URI with `uri=True`.
        busy_timeout: Seconds to wait for another process's lock.

    Raises:
        StateError: The SQLite library is too old.
        StateUnavailable: The file cannot be opened.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        raise StateError(
            f"found SQLite {sqlite3.sqlite_version}, expected {oldest} or newer: use a newer Python build"
        )
    try:
        return sqlite3.connect(
            place,
            timeout=busy_timeout,
            isolation_level=None,
            cached_statements=256,
            check_same_thread=False,
            uri=uri,
        )
    except sqlite3.Error as error:
        raise StateUnavailable(
            f"{place}: {error}. Check that the folder exists and can be written."
        ) from error


def _begin(statements: Iterable[Statement]) -> str:
    """Begins a transaction; one that only reads takes no write lock."""
    for statement in statements:
        text = _TEXTS.get(statement.name)
        if text is not None and not text.read_only:
            return "BEGIN IMMEDIATE"
    return "BEGIN"


def _damaged(place: str, finding: str) -> StateCorrupt:
    return StateCorrupt(
        f"{place}: found a damaged database ({finding}), expected a state store. Nothing was changed: stop every host "
        "that uses it, move the file aside together with its -wal and -shm files, and start again or restore a copy."
    )


def _not_ours(place: str, finding: str) -> StateCorrupt:
    return StateCorrupt(
        f"{place}: found {finding}, expected a state store. Nothing was changed: move the file aside, or name another."
    )
