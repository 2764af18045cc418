"""One process, one group or all who share it hold a folder, whatever happens to them (contract 15.3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hosting.state import FolderHold, SqliteHostStateStore, StateDirInUse, StateUnavailable
from hosting.state.folder import GROUP_VARIABLE, new_group

SCRIPT = Path(__file__).with_name("holder_process.py")
IMPORTS = {"PYTHONPATH": os.pathsep.join(sys.path)}


class Holder:
    """A process that opened the folder, or was refused."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **IMPORTS, **environment},
        )
        self.said = self.line()

    @property
    def is_open(self) -> bool:
        return self.said.startswith("open")

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        assert self.line() == "done"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Callable[..., Holder]]:
    started: list[Holder] = []

    def start(*options: str, **environment: str) -> Holder:
        started.append(Holder(tmp_path, *options, **environment))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture(autouse=True)
def no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GROUP_VARIABLE, raising=False)


def test_a_second_process_is_refused_and_told_who_holds_the_folder(holder: Callable[..., Holder]) -> None:
    first, second = holder(), holder()
    assert first.said == "open alone=True drains=False"
    assert second.said.startswith("in use:")
    assert f"process {first.process.pid} on {os.uname().nodename}, since 20" in second.said
    assert "shared_state_dir=True" in second.said


def test_a_killed_holder_frees_the_folder_at_once_even_with_a_forked_child(
    holder: Callable[..., Holder],
) -> None:
    first = holder()
    first.ask("child")
    first.kill()
    assert holder().is_open


def test_a_holder_that_closed_frees_the_folder(holder: Callable[..., Holder]) -> None:
    first = holder()
    first.ask("close")
    assert holder().is_open


def test_the_folder_is_handed_over_when_draining_begins_and_the_next_one_waits_for_the_end(
    holder: Callable[..., Holder],
) -> None:
    first = holder()
    first.ask("drain")
    second = holder()
    assert second.said == "waiting for the process that had this state before, which drains"
    first.ask("write late")
    assert not holder().is_open
    first.ask("close")
    assert second.line() == "open alone=True drains=False"
    second.ask("close")
    assert holder().said == "open alone=True drains=False"


def test_those_who_share_the_folder_are_let_in_and_nobody_else(holder: Callable[..., Holder]) -> None:
    first, second = holder("shared"), holder("shared")
    assert [first.said, second.said] == ["open alone=False drains=False"] * 2
    refused = holder()
    assert refused.said.startswith("in use:")
    assert "which shares it" in refused.said
    first.kill()
    assert not holder().is_open
    second.kill()
    assert holder().is_open


def test_nobody_shares_a_folder_that_one_process_has_for_itself(holder: Callable[..., Holder]) -> None:
    holder()
    assert holder("shared").said.startswith("in use:")


def test_workers_join_their_supervisor_and_hold_the_folder_after_it(
    holder: Callable[..., Holder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GROUP_VARIABLE, "to be replaced, and restored behind the test")
    group = new_group()
    supervisor = FolderHold(tmp_path)
    supervisor.take()
    first, second = holder(), holder()
    assert [first.said, second.said] == ["open alone=False drains=False"] * 2
    for outsider in ({GROUP_VARIABLE: ""}, {GROUP_VARIABLE: "another"}):
        refused = holder(**outsider)
        assert f"process {os.getpid()}" in refused.said
        assert "with its workers" in refused.said
    assert not holder("shared").is_open
    supervisor.release()
    assert holder(**{GROUP_VARIABLE: group}).is_open
    assert not holder(**{GROUP_VARIABLE: ""}).is_open


def test_many_that_start_at_once_leave_one_winner_or_all_who_share(tmp_path: Path) -> None:
    for options, winners in ((), 1), (("shared",), 8):
        folder = tmp_path / "-".join(("f", *options))
        processes = [
            subprocess.Popen(
                [sys.executable, str(SCRIPT), str(folder), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **IMPORTS},
            )
            for _ in range(8)
        ]
        said = [process.stdout.readline() for process in processes]
        for process in processes:
            process.communicate(timeout=60)
        assert sum(line.startswith("open") for line in said) == winners, said


async def test_two_hosts_of_one_process_do_not_hold_one_folder(tmp_path: Path) -> None:
    first, second = (
        SqliteHostStateStore(tmp_path / "hosting.db", hold=FolderHold(tmp_path)) for _ in range(2)
    )
    await first.open()
    with pytest.raises(StateDirInUse, match=f"process {os.getpid()}") as caught:
        await second.open()
    assert caught.value.status == 503
    assert str(tmp_path) not in caught.value.message
    await second.close()
    await first.close()
    await second.open()
    await second.close()


async def test_a_folder_whose_file_is_refused_is_free_again(tmp_path: Path) -> None:
    (tmp_path / "hosting.db").write_bytes(b"somebody's work\n" * 500)
    for _ in range(2):
        store = SqliteHostStateStore(tmp_path / "hosting.db", hold=FolderHold(tmp_path))
        with pytest.raises(Exception, match="move the file aside"):
            await store.open()


def test_the_lock_file_names_the_holder_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    hold = FolderHold(tmp_path / "new")
    hold.take()
    file = tmp_path / "new" / "hosting.db.lock"
    assert json.loads(file.read_text())["pid"] == os.getpid()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    hold.take()
    hold.release()
    hold.release()


def test_a_lock_file_that_says_nothing_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "hosting.db.lock").write_text("[[[")
    hold = FolderHold(tmp_path)
    hold.take()
    (tmp_path / "hosting.db.lock").write_text("[[[")
    with pytest.raises(StateDirInUse, match="in use by another process"):
        FolderHold(tmp_path).take()
    hold.release()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StateUnavailable, match="can be made"):
        FolderHold(tmp_path / "file" / "folder").take()
