"""Which store a host was given (contract 15.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting.errors import ChannelConfigurationError
from hosting.state import (
    InMemoryHostStateStore,
    PostgresHostStateStore,
    SqliteHostStateStore,
    open_store,
)


def test_an_object_is_given_back_as_it_is() -> None:
    store = InMemoryHostStateStore()
    assert open_store(store) is store


def test_memory_is_named_by_its_scheme() -> None:
    store = open_store("memory:")
    assert isinstance(store, InMemoryHostStateStore)
    assert not store.durable
    assert store.describe() == "memory (nothing survives a restart)"


async def test_a_sqlite_url_names_a_file_with_escapes_decoded(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/my%20state.db")
    assert isinstance(store, SqliteHostStateStore)
    assert store.durable
    assert store.describe() == "SQLite file my state.db"
    await store.open()
    await store.close()
    assert (tmp_path / "my state.db").exists()


async def test_a_sqlite_url_with_three_slashes_is_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///folder/state.db")
    await store.open()
    await store.close()
    assert (tmp_path / "folder" / "state.db").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("postgresql://joe:hunter2@db/x?hunter2=1", "does not understand"),
        ("redis://:hunter2@db", "scheme 'redis'"),
        ("/var/lib/hunter2.db", "without a scheme"),
        ("sqlite://", "no path"),
        ("sqlite:///", "no path"),
        ("sqlite://host/hunter2.db", "a host"),
        ("sqlite:///state.db?key=hunter2", "a query"),
        (7, "found a int"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected_and_no_secret(given: object, said: str) -> None:
    with pytest.raises(ChannelConfigurationError, match=r"host\.state: .*expected") as caught:
        open_store(given)  # type: ignore[arg-type]  # what an untyped caller may do
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_postgresql_url_names_a_database_and_shows_no_secret(scheme: str) -> None:
    store = open_store(f"{scheme}://joe:hunter2@db.example:5433/state?sslmode=require")
    assert isinstance(store, PostgresHostStateStore)
    assert store.durable
    assert store.describe() == "PostgreSQL database state on db.example, schema hosting"
    assert "hunter2" not in repr(store) + repr(vars(store))
