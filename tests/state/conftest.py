"""Every store passes the same tests: a test that takes `store` runs on each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hosting.state import (
    HostStateStore,
    InMemoryHostStateStore,
    PostgresHostStateStore,
    SqliteHostStateStore,
)
from tests.state import postgres_server


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def schema() -> Iterator[str]:
    """A schema of PostgreSQL for this test alone."""
    with postgres_server.own_schema() as schema:
        yield schema


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, database: Path) -> AsyncIterator[HostStateStore]:
    store = _store(request, database)
    await store.open()
    yield store
    await store.close()


def _store(request: pytest.FixtureRequest, database: Path) -> HostStateStore:
    match request.param:
        case "memory":
            return InMemoryHostStateStore()
        case "sqlite":
            return SqliteHostStateStore(database)
        case _:
            schema: str = request.getfixturevalue("schema")
            return PostgresHostStateStore(postgres_server.URL, schema=schema)
