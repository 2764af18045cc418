"""The SQLite file: what survives, what is refused, what is retried (contract 4.3, 15.2, 15.4)."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hosting.state import (
    HostStateStore,
    SqliteHostStateStore,
    StateConflict,
    StateCorrupt,
    Statement,
    StateTooNew,
    StateUnavailable,
    ping,
)
from hosting.state.schema import SCHEMA_VERSION
from hosting.state.tables import records, turns


def put(key: str, value: str = "1") -> Statement:
    return records.put_record("ns", key, value, now_ms=1)


async def keys(store: HostStateStore) -> list[str]:
    (rows,) = await store.execute(records.scan_records("ns", limit=1_000_000, now_ms=1))
    return [record.key for record in records.read_records(rows)]


async def stored(path: Path) -> list[str]:
    store = SqliteHostStateStore(path)
    await store.open()
    try:
        return await keys(store)
    finally:
        await store.close()


async def filled(path: Path, *names: str) -> None:
    store = SqliteHostStateStore(path)
    await store.open()
    for name in names or ("a",):
        await store.execute(put(name))
    await store.close()


def run(path: Path, *command: str) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("writer_process.py")), *command, str(path)]


SAME_IMPORTS = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


async def test_a_reopened_file_holds_everything(database: Path) -> None:
    await filled(database, "a", "b")
    await filled(database, "c")
    assert await stored(database) == ["a", "b", "c"]


def test_closing_leaves_one_file_that_only_its_owner_reads(database: Path) -> None:
    asyncio.run(filled(database))
    assert list(database.parent.iterdir()) == [database]
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


@pytest.mark.parametrize("delay", [1, 40, 400])
def test_a_killed_process_loses_no_acknowledged_commit(database: Path, delay: int) -> None:
    with subprocess.Popen(
        run(database, "write"), stdout=subprocess.PIPE, text=True, env=SAME_IMPORTS
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(delay)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    found = set(asyncio.run(stored(database)))
    assert set(acknowledged) <= found
    assert {key.removesuffix("/2") for key in found} == {key for key in found if not key.endswith("/2")}
    assert len(found) % 2 == 0, "a unit was kept by half"


def test_several_processes_open_a_new_file_at_once_and_share_it(database: Path) -> None:
    workers = [subprocess.Popen(run(database, "share", str(number)), env=SAME_IMPORTS) for number in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    connection = sqlite3.connect(database)
    (count,) = connection.execute("SELECT count(*) FROM records").fetchone()
    connection.close()
    assert count == 4 * 50


def test_a_newer_schema_is_refused_and_untouched(database: Path) -> None:
    asyncio.run(filled(database))
    connection = sqlite3.connect(database)
    connection.execute("UPDATE schema_version SET version = 999")
    connection.commit()
    connection.close()
    before = database.read_bytes()
    with pytest.raises(StateTooNew, match=rf"found schema version 999, expected at most {SCHEMA_VERSION}"):
        asyncio.run(stored(database))
    assert database.read_bytes() == before


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database, but somebody's work\n" * 200)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8192])


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:20480] = b"\xff" * 12288
    path.write_bytes(content)


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoices (id)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("damage", [garbage, cut_off, overwritten, foreign])
def test_a_corrupt_or_foreign_file_is_refused_untouched_with_advice(
    database: Path, damage: Callable[[Path], None]
) -> None:
    asyncio.run(filled(database, *(f"{number:04}" for number in range(50))))
    damage(database)
    before = database.read_bytes()
    with pytest.raises(StateCorrupt, match="move the file aside") as caught:
        asyncio.run(stored(database))
    assert str(database) in str(caught.value)
    assert str(database) not in caught.value.message
    assert database.read_bytes() == before


async def test_a_store_that_was_refused_is_not_open(database: Path) -> None:
    garbage(database)
    store = SqliteHostStateStore(database)
    for _ in range(2):
        with pytest.raises(StateCorrupt):
            await store.open()
    with pytest.raises(StateUnavailable):
        await store.execute(ping())
    await store.close()


async def test_a_locked_file_is_unavailable_and_works_again_afterwards(database: Path) -> None:
    store = SqliteHostStateStore(database, busy_timeout=0.02)
    await store.open()
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(
        *(store.execute(put(str(number)), put("x")) for number in range(5)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {StateUnavailable}
    assert await keys(store) == [], "reading needs no write lock"
    other.execute("ROLLBACK")
    other.close()
    await store.execute(put("a"))
    assert await keys(store) == ["a"]
    await store.close()


def test_a_full_disk_is_unavailable_keeps_what_was_acknowledged_and_recovers(database: Path) -> None:
    done = subprocess.run(
        run(database, "fill"), capture_output=True, text=True, timeout=60, check=False, env=SAME_IMPORTS
    )
    assert (done.returncode, done.stdout.strip()) == (0, "recovered"), done.stderr


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = SqliteHostStateStore(tmp_path / "file" / "state.db")
    with pytest.raises(StateUnavailable, match="folder can be written"):
        await store.open()
    await store.close()


async def test_units_that_wait_share_a_commit(database: Path) -> None:
    store = SqliteHostStateStore(database)
    await store.open()
    before = commits(database)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # holds the writer at its first units until all have queued
    waiting = [asyncio.create_task(store.execute(put(f"{n:02}"), *broken_every_tenth(n))) for n in range(60)]
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    other.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(outcome, StateConflict) for outcome in outcomes] == [n % 10 == 0 for n in range(60)]
    assert commits(database) - before <= 2
    assert await keys(store) == [f"{n:02}" for n in range(60) if n % 10]
    await store.close()


def broken_every_tenth(number: int) -> Sequence[Statement]:
    return [] if number % 10 else [turns.retry_turn("nobody", 1)]


def commits(path: Path) -> int:
    """Commits in the write-ahead log: frames that name the size of the database after them."""
    log = path.with_name(path.name + "-wal").read_bytes()
    frames = range(32, len(log), 24 + 4096)
    return sum(log[at + 4 : at + 8] != bytes(4) for at in frames)
