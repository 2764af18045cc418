"""`hosting doctor`: one line per check, exit code 1 when something is wrong, never a secret."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from hosting.state import HostStateStore, SqliteHostStateStore
from hosting.state.schema import SCHEMA_VERSION
from hosting.state.tables import instances
from tests.cli.operators import Place, bury, claim, hosting
from tests.state import postgres_server


async def nothing(store: HostStateStore) -> None:
    return None


def checks(place: Place, *options: str) -> dict[str, dict]:
    return {check["check"]: check for check in place.json("doctor", *options)["checks"]}


def test_a_store_that_is_well(place: Place) -> None:
    place.change(nothing)

    ended = place.run("doctor")

    assert ended.returncode == 0, ended.stdout
    assert all(line.startswith("ok ") for line in ended.stdout.splitlines())
    assert f"version {SCHEMA_VERSION}" in ended.stdout and "0 running" in ended.stdout
    assert ended.stderr == ""


def test_what_was_given_up_is_wrong(place: Place) -> None:
    place.change(bury)

    ended, found = place.process("doctor"), checks(place)

    assert ended.returncode == 1
    assert [name for name, check in found.items() if not check["ok"]] == ["dead"]
    assert (found["dead"]["events"], found["dead"]["deliveries"], found["dead"]["unknown"]) == (2, 1, 1)
    assert found["events"]["counts"] == {"dead": 2}
    assert (found["dead"]["tasks"], found["tasks"]["counts"]) == (1, {"failed": 1})


def test_an_event_that_waits_is_wrong_where_nobody_takes_it(place: Place) -> None:
    now = int(time.time() * 1000)

    async def waits(store: HostStateStore) -> None:
        await store.execute(claim(1, now - 60_000))

    async def lives(store: HostStateStore) -> None:
        await store.execute(instances.keep_instance("h", now_ms=now, until_ms=now + 3_600_000))

    place.change(waits)
    assert "no host runs" in checks(place)["waiting"]["said"]
    place.change(lives)
    found = checks(place)
    assert (found["hosts"]["running"], found["waiting"]["ok"]) == (1, True)
    assert not checks(place, "--max-wait", "30")["waiting"]["ok"]


def test_it_makes_nothing_where_no_host_has_run(place: Place) -> None:
    ended = place.run("doctor")

    assert ended.returncode == 1
    assert "found no state" in ended.stdout
    assert not place.folder.exists()


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_a_store_of_another_release_is_told_and_left(place: Place, version: int) -> None:
    place.change(nothing)
    set_version(place, version)

    ended = place.run("doctor")

    assert ended.returncode == 1
    assert f"found schema version {version}, expected" in ended.stdout
    assert place.run("dead-letters", "list").returncode == 1


def set_version(place: Place, version: int) -> None:
    if place.schema:
        postgres_server.run(f"UPDATE {place.schema}.schema_version SET version = {version}")
        return
    store = place.store()
    assert isinstance(store, SqliteHostStateStore)
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute(f"UPDATE schema_version SET version = {version}")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.change(bury)
    file = tmp_path / "hosting.db"
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)

    ended = place.run("doctor")

    assert ended.returncode == 1 and "found a damaged database" in ended.stdout
    assert file.read_bytes() == data


def test_no_secret_is_said() -> None:
    ended = hosting("doctor", "--state", "postgresql://me:hunter2@127.0.0.1:1/nowhere?connect_timeout=2")

    assert ended.returncode == 1
    assert "WRONG  store" in ended.stdout
    assert "hunter2" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("options", [["--state", "memory:"], ["tests.cli.test_doctor:nothing_here"], []])
def test_what_names_no_store_is_refused(options: list[str]) -> None:
    ended = hosting("doctor", *options)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
