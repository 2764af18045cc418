"""What tests of durable tasks share."""

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
def schema() -> Iterator[str]:
    """A schema of PostgreSQL for this test alone."""
    with postgres_server.own_schema() as schema:
        yield schema


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HostStateStore]:
    """Every store in turn, open."""
    store = _store(request, tmp_path)
    await store.open()
    yield store
    await store.close()


def _store(request: pytest.FixtureRequest, folder: Path) -> HostStateStore:
    match request.param:
        case "memory":
            return InMemoryHostStateStore()
        case "sqlite":
            return SqliteHostStateStore(folder / "state.db")
        case _:
            return PostgresHostStateStore(postgres_server.URL, schema=request.getfixturevalue("schema"))
