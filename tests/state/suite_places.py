"""Where the suite tries our own stores."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from hosting import HostStateStore, InMemoryHostStateStore, PostgresHostStateStore, SqliteHostStateStore
from hosting_testkit.stores import StorePlace
from tests.state import postgres_server


class MemoryPlace(StorePlace):
    def store(self) -> HostStateStore:
        return InMemoryHostStateStore()


class SqlitePlace(StorePlace):
    factory = "tests.state.suite_places:sqlite"
    is_shared = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.db"
        self.argument = str(self.path)
        self._other: sqlite3.Connection | None = None

    def store(self) -> HostStateStore:
        return SqliteHostStateStore(self.path)

    async def take_away(self) -> None:
        self._other = sqlite3.connect(self.path, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    async def bring_back(self) -> None:
        assert self._other is not None
        self._other.close()

    def make_newer(self) -> None:
        connection = sqlite3.connect(self.path)
        connection.execute("UPDATE schema_version SET version = 999")
        connection.commit()
        connection.close()

    def damage(self) -> None:
        content = bytearray(self.path.read_bytes())
        content[8192:20480] = b"\xff" * 12288
        self.path.write_bytes(content)

    def fingerprint(self) -> object:
        return self.path.read_bytes()


class ImpatientSqlitePlace(SqlitePlace):
    """For the check that locks the file: nobody wants to wait ten seconds."""

    def store(self) -> HostStateStore:
        return SqliteHostStateStore(self.path, busy_timeout=0.05)


class PostgresPlace(StorePlace):
    factory = "tests.state.suite_places:postgres"
    is_shared = True

    def __init__(self, schema: str) -> None:
        self.schema = schema
        joined = "&" if "?" in postgres_server.URL else "?"
        self.url = f"{postgres_server.URL}{joined}user={schema}"
        self.argument = json.dumps([self.url, schema])
        postgres_server.run(f"CREATE ROLE {schema} LOGIN; CREATE SCHEMA {schema} AUTHORIZATION {schema}")

    def store(self) -> HostStateStore:
        return postgres(self.argument)

    async def take_away(self) -> None:
        postgres_server.run(f"ALTER ROLE {self.schema} NOLOGIN")
        postgres_server.run(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{self.schema}'"
        )

    async def bring_back(self) -> None:
        postgres_server.run(f"ALTER ROLE {self.schema} LOGIN")

    def make_newer(self) -> None:
        postgres_server.run(f"UPDATE {self.schema}.schema_version SET version = 999")

    def damage(self) -> None:
        postgres_server.run(f"DROP TABLE {self.schema}.schema_version")

    def fingerprint(self) -> object:
        return postgres_server.run(
            f"SELECT relname FROM pg_class WHERE relnamespace = '{self.schema}'::regnamespace ORDER BY 1"
        ), postgres_server.run(f"SELECT * FROM {self.schema}.records")

    def remove(self) -> None:
        postgres_server.run(
            f"SET client_min_messages = warning; DROP OWNED BY {self.schema} CASCADE; DROP ROLE {self.schema}"
        )


def sqlite(argument: str) -> HostStateStore:
    return SqliteHostStateStore(argument)


def postgres(argument: str) -> HostStateStore:
    url, schema = json.loads(argument)
    return PostgresHostStateStore(url, schema=schema, timeout=20.0)
