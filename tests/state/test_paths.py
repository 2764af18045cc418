"""Which store keeps what (contract 15.1, 15.3)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hosting.errors import ChannelConfigurationError
from hosting.state import (
    HostStatePaths,
    InMemoryHostStateStore,
    SqliteHostStateStore,
    StateDirInUse,
    StatePlan,
    plan_state,
)

LOG = logging.getLogger("tests.paths")


def plan(state_dir: object, *, state: object = None, shared: bool = False) -> StatePlan:
    return plan_state(state, state_dir, shared=shared, logger=LOG)  # type: ignore[arg-type]  # what users may pass


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_given_is_memory() -> None:
    found = plan(None)
    assert isinstance(found.store, InMemoryHostStateStore)
    assert found.runner is found.store is found.links
    assert found.checkpoints is None


async def test_a_folder_holds_everything_in_one_file(tmp_path: Path) -> None:
    found = plan(str(tmp_path))
    assert found.runner is found.store is found.links
    assert (found.checkpoints, found.in_memory) == (None, ())
    await found.store.open()
    assert [name for name in names(tmp_path) if name.endswith(".db")] == ["hosting.db"]
    with pytest.raises(StateDirInUse):
        await plan(tmp_path).store.open()
    await found.store.close()


async def test_a_shared_folder_is_shared_and_not_exclusive(tmp_path: Path) -> None:
    first, second = plan(tmp_path, shared=True).store, plan(tmp_path, shared=True).store
    assert isinstance(first, SqliteHostStateStore)
    assert not first.exclusive
    await first.open()
    await second.open()
    await first.close()
    await second.close()


def test_state_wins_over_the_folder_and_says_so(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    store = InMemoryHostStateStore()
    assert plan(tmp_path, state=store).store is store
    assert "state wins" in caplog.text


def test_parts_that_are_left_out_live_in_memory_and_are_named(tmp_path: Path) -> None:
    found = plan(HostStatePaths(sessions=tmp_path))
    assert found.store.durable
    assert not found.runner.durable
    assert found.links is found.runner
    assert found.checkpoints == ""
    assert found.in_memory == ("runner", "links", "checkpoints")


async def test_parts_of_one_folder_share_one_store(tmp_path: Path) -> None:
    found = plan(
        HostStatePaths(
            sessions=tmp_path / "a", runner=tmp_path / "a", links=tmp_path / "b", checkpoints=tmp_path / "c"
        )
    )
    assert found.runner is found.store
    assert found.links is not found.store
    assert found.checkpoints == str(tmp_path / "c")
    assert found.in_memory == ()
    await found.store.open()
    await found.links.open()
    assert names(tmp_path) == ["a", "b"]
    await found.links.close()
    await found.store.close()


def test_checkpoints_beside_the_sessions_are_in_their_store(tmp_path: Path) -> None:
    found = plan(HostStatePaths(sessions=tmp_path, checkpoints=tmp_path))
    assert found.checkpoints is None


def test_sessions_may_be_the_part_that_is_left_out(tmp_path: Path) -> None:
    found = plan(HostStatePaths(runner=tmp_path))
    assert not found.store.durable
    assert found.runner.durable


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (HostStatePaths(), "without a folder"),
        ("sqlite:///hunter2.db", "found a URL"),
        ("  ", "the path of a folder"),
        (7, "the path of a folder"),
        (HostStatePaths(sessions="postgresql://hunter2@db"), "found a URL"),
    ],
)
def test_what_is_no_folder_is_refused(given: object, said: str) -> None:
    with pytest.raises(ChannelConfigurationError, match=rf"host\.state_dir: .*{said}") as caught:
        plan(given)
    assert "hunter2" not in str(caught.value)
