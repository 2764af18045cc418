"""Our own stores keep every promise of the suite (contract 15.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hosting_testkit.stores import HostStateStoreSuite
from tests.state.suite_places import ImpatientSqlitePlace, MemoryPlace, PostgresPlace, SqlitePlace


class TestInMemoryHostStateStore(HostStateStoreSuite):
    @pytest.fixture
    def place(self) -> MemoryPlace:
        return MemoryPlace()


class TestSqliteHostStateStore(HostStateStoreSuite):
    @pytest.fixture
    def place(self, tmp_path: Path, request: pytest.FixtureRequest) -> SqlitePlace:
        locks_the_file = "its_state_is_away" in request.node.name
        return (ImpatientSqlitePlace if locks_the_file else SqlitePlace)(tmp_path)


class TestPostgresHostStateStore(HostStateStoreSuite):
    @pytest.fixture
    def place(self, schema: str) -> Iterator[PostgresPlace]:
        place = PostgresPlace(schema)
        yield place
        place.remove()
