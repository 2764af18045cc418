"""Where measured state is: memory, a SQLite file in a temporary folder, a PostgreSQL schema of its own."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hosting import InMemoryHostStateStore, PostgresHostStateStore, SqliteHostStateStore
from hosting.state import HostStateStore

from . import postgres

StoreKind = Literal["memory", "sqlite", "postgres"]


@dataclass(frozen=True, slots=True)
class Place:
    """One place for state, which lasts as long as its block; several stores may use it one after the other.

    Args:
        kind: What keeps the state.
        where: The file, or the schema; "" for memory.
    """

    kind: StoreKind
    where: str

    def store(self) -> HostStateStore:
        """A store there, not open; in memory each has a state of its own."""
        match self.kind:
            case "memory":
                return InMemoryHostStateStore()
            case "sqlite":
                return SqliteHostStateStore(self.where, exclusive=True)
            case "postgres":
                return PostgresHostStateStore(postgres.named(self.where), schema=self.where, pool_size=16)

    def used_bytes(self) -> int:
        """What is in use of the file or the schema, indexes included; 0 for memory."""
        match self.kind:
            case "memory":
                return 0
            case "sqlite":
                return self._read(
                    "SELECT (page_count - freelist_count) * page_size "
                    "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
                )
            case "postgres":
                return self._read(
                    "SELECT SUM(pg_total_relation_size(c.oid))::bigint FROM pg_class c "
                    f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = '{self.where}'"
                )

    def free(self) -> None:
        """Lets the room of removed rows be used again, as the server does by itself sooner or later; a file needs none."""
        if self.kind == "postgres":
            for table in self._tables():
                postgres.run(f"VACUUM {self.where}.{table}")

    def compact(self) -> None:
        """Gives the room of removed rows back; no store may be open on a file."""
        match self.kind:
            case "memory":
                return
            case "sqlite":
                with closing(sqlite3.connect(self.where, isolation_level=None)) as connection:
                    connection.execute("VACUUM")
            case "postgres":
                for table in self._tables():
                    postgres.run(f"VACUUM FULL {self.where}.{table}")

    def _tables(self) -> list[str]:
        found = postgres.run(f"SELECT tablename FROM pg_tables WHERE schemaname = '{self.where}'")
        return [table for (table,) in found]

    def _read(self, sql: str) -> int:
        if self.kind == "postgres":
            return int(postgres.run(sql)[0][0])
        with closing(sqlite3.connect(self.where)) as connection:
            return int(connection.execute(sql).fetchone()[0])


def durable_kinds() -> tuple[StoreKind, ...]:
    """The stores that survive a process; PostgreSQL only where it answers."""
    return ("sqlite",) if postgres.left_out() else ("sqlite", "postgres")


@contextmanager
def place(kind: StoreKind) -> Generator[Place]:
    """A place for the length of a block."""
    match kind:
        case "memory":
            yield Place(kind, "")
        case "sqlite":
            with tempfile.TemporaryDirectory(prefix="hosting-benchmark-") as folder:
                yield Place(kind, str(Path(folder, "hosting.db")))
        case "postgres":
            with postgres.own_schema() as schema:
                yield Place(kind, schema)
