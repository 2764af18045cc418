"""The back ends that the suite runs on, by name; the victim's process makes them from the same arguments."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from hosting.state import InMemoryHostStateStore, PostgresHostStateStore, SqliteHostStateStore
from hosting_testkit.runners import RunnerHarness, StoreHarness
from tests.durable.procrastinate_harness import ProcrastinateHarness
from tests.state import postgres_server


def memory() -> RunnerHarness:
    return StoreHarness(InMemoryHostStateStore())


def sqlite(path: str) -> RunnerHarness:
    return StoreHarness(SqliteHostStateStore(Path(path)), victim=victim("sqlite", path))


def postgres(schema: str) -> RunnerHarness:
    store = PostgresHostStateStore(postgres_server.URL, schema=schema, pool_size=4)
    return StoreHarness(store, victim=victim("postgres", schema))


def procrastinate(schema: str) -> RunnerHarness:
    return ProcrastinateHarness(schema, victim("procrastinate", schema))


def victim(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.durable.victim_process", *arguments]


BACKENDS: dict[str, Callable[..., RunnerHarness]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgres": postgres,
    "procrastinate": procrastinate,
}
