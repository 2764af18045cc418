"""Every store passes the same tests: a test that takes `store` runs on each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.state import HostStateStore, InMemoryHostStateStore, SqliteHostStateStore


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, database: Path) -> AsyncIterator[HostStateStore]:
    store = InMemoryHostStateStore() if request.param == "memory" else SqliteHostStateStore(database)
    await store.open()
    yield store
    await store.close()
