"""Makes the schema, or brings it up to date, while other replicas that start wait (contract 15.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from ..errors import StateCorrupt, StateError, StateTooNew
from ..schema import SCHEMA_VERSION
from .texts import definitions_after

Connection = psycopg.AsyncConnection[Any]


async def upgrade(connection: Connection, schema: str, place: str) -> None:
    """Brings the schema to `SCHEMA_VERSION` in one transaction; a process that dies in it leaves what was there.

    Raises:
        StateTooNew: A newer release wrote it; it was not touched.
        StateCorrupt: It holds other tables; it was not touched.
        StateError: The database cannot hold a state store.
        psycopg.Error: The server refused.
    """
    if await version(connection, schema, place) == SCHEMA_VERSION:
        return
    async with connection.transaction():
        lock = f"hosting.upgrade:{schema}"
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        found = await version(connection, schema, place)
        exists = found or await _exists(connection, schema)
        await _run(connection, ";\n".join(_script(found, schema, exists=bool(exists))))


def _script(found: int, schema: str, *, exists: bool) -> Iterator[str]:
    if not exists:
        yield f"CREATE SCHEMA {schema}"
    yield from definitions_after(found, schema=schema)
    if not found:
        yield f"CREATE TABLE {schema}.schema_version (version BIGINT NOT NULL)"
        yield f"INSERT INTO {schema}.schema_version (version) VALUES (0)"
    yield f"UPDATE {schema}.schema_version SET version = {SCHEMA_VERSION}"


async def version(connection: Connection, schema: str, place: str) -> int:
    """The version of the schema as it is; 0 where it holds nothing.

    Raises:
        StateTooNew: A newer release wrote it.
        StateCorrupt: It holds tables, but not those of a state store.
    """
    cursor = await connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY c.relname",
        [schema],
    )
    tables = [row[0] for row in await cursor.fetchall()]
    if not tables:
        return 0
    if "schema_version" not in tables:
        raise _not_ours(place, f"tables such as {tables[0]!r} and no schema_version")
    rows = await (await _run(connection, f"SELECT version FROM {schema}.schema_version")).fetchall()
    found = rows[0][0] if len(rows) == 1 else None
    if not isinstance(found, int) or found < 1:
        raise _not_ours(place, "no version in schema_version")
    if found > SCHEMA_VERSION:
        raise StateTooNew(
            f"{place}: found schema version {found}, expected at most {SCHEMA_VERSION}. A newer release wrote it: "
            "upgrade this one, or give it a schema of its own."
        )
    return found


async def prepare_connection(connection: Connection, place: str, *, own_settings: bool) -> None:
    """Sets what a connection needs; one that a pooler lends out is only checked.

    Raises:
        StateError: The database is not in UTF-8, or confirms commits that are not on disk.
        psycopg.Error: The server refused.
    """
    if own_settings:
        await connection.execute(
            "SELECT set_config('jit', 'off', false), set_config('idle_in_transaction_session_timeout', '60000', false),"
            " CASE WHEN current_setting('synchronous_commit') = 'off'"
            " THEN set_config('synchronous_commit', 'on', false) END"
        )
    cursor = await connection.execute(
        "SELECT current_setting('server_encoding'), current_setting('synchronous_commit')"
    )
    encoding, commit = (await cursor.fetchall())[0]
    if encoding != "UTF8":
        raise StateError(
            f"{place}: found a database in {encoding}, expected UTF8: make one with ENCODING 'UTF8'"
        )
    if commit == "off":
        raise StateError(
            f"{place}: found synchronous_commit off, expected on, so that what was acknowledged survives a crash: "
            "ALTER ROLE ... SET synchronous_commit = on"
        )


async def _exists(connection: Connection, schema: str) -> bool:
    cursor = await connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
    return await cursor.fetchone() is not None


async def _run(connection: Connection, text: str) -> psycopg.AsyncCursor[Any]:
    return await connection.execute(text.encode())


def _not_ours(place: str, finding: str) -> StateCorrupt:
    return StateCorrupt(
        f"{place}: found {finding}, expected a state store. Nothing was changed: name another schema with "
        "PostgresHostStateStore(url, schema=...)."
    )
