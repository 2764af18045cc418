"""What is written in a state, read beside the hosts."""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from .job import Place

_OPEN = """SELECT (SELECT COUNT(*) FROM events WHERE state IN ('queued', 'running'))
    + (SELECT COUNT(*) FROM outbox WHERE state IN ('pending', 'sending'))"""


class Books(ABC):
    """Reads one state."""

    @abstractmethod
    def rows(self, sql: str) -> list[Any]:
        """The rows of a query; none while the table does not exist."""

    @abstractmethod
    def damage(self) -> str:
        """What the engine's own check of the state found, or nothing."""

    @staticmethod
    @contextmanager
    def of(place: Place) -> Generator[Books]:
        """The books of a place."""
        if place.kind == "postgres":
            import psycopg

            with psycopg.connect(place.address, autocommit=True) as connection:
                connection.execute(f"SET search_path = {place.schema}".encode())
                yield _Postgres(connection)
        else:
            path = Path(place.address)
            yield _Sqlite(path / "hosting.db" if place.kind == "folder" else path)

    def open(self) -> int:
        """Events and deliveries that have not ended."""
        found = self.rows(_OPEN)
        return found[0][0] if found else 0

    def deliveries(self) -> Counter[str]:
        """How many deliveries ended how."""
        return Counter(state for (state,) in self.rows("SELECT state FROM outbox"))

    def turns(self) -> Counter[str]:
        """How many turns ended how: the error's code, or the status."""
        return Counter(code or status for status, code in self.rows("SELECT status, error_code FROM turns"))

    def events(self) -> Counter[str]:
        """How many events ended how."""
        return Counter(state for (state,) in self.rows("SELECT state FROM events"))

    def accepted(self) -> list[str]:
        """The texts of the accepted events, in claim order."""
        found = self.rows("SELECT payload FROM events ORDER BY seq")
        return [json.loads(payload)["payload"]["message"]["text"] for (payload,) in found]

    def said(self) -> Counter[str]:
        """What people said, as it stands in the history."""
        messages = [json.loads(text) for (text,) in self.rows("SELECT message FROM history")]
        return Counter(_text(message) for message in messages if message["role"] == "user")


class _Sqlite(Books):
    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, sql: str) -> list[Any]:
        if not self._path.exists():
            return []
        with closing(sqlite3.connect(self._path, timeout=10)) as connection:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []

    def damage(self) -> str:
        found = self.rows("PRAGMA integrity_check") + self.rows("PRAGMA foreign_key_check")
        return "" if found == [("ok",)] else repr(found)


class _Postgres(Books):
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str) -> list[Any]:
        import psycopg

        try:
            return self._connection.execute(sql).fetchall()
        except psycopg.errors.UndefinedTable:
            return []

    def damage(self) -> str:
        return ""  # the engine keeps its own constraints, and has no check that a client may call


def _text(message: dict[str, Any]) -> str:
    return "".join(content.get("text", "") for content in message.get("contents", ()))
