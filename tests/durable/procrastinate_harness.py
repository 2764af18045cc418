"""procrastinate as a back end of the suite: its tables and the store's are in one schema of their own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import psycopg

from hosting import RandomIds, SystemTime
from hosting.durable import DurableTaskRunner, RunnerServices, TaskHandle
from hosting.durable.on_procrastinate import ProcrastinateTaskRunner
from hosting.state import HostStateStore, PostgresHostStateStore, Statement
from hosting_testkit.runners import RunnerHarness
from tests.state import postgres_server


def url_of(schema: str) -> str:
    """The test server, where names without a schema are looked up in `schema`, which also names its connections."""
    mark = "&" if "?" in postgres_server.URL else "?"
    return f"{postgres_server.URL}{mark}options=-csearch_path%3D{schema}&application_name={schema}"


class ProcrastinateHarness(RunnerHarness):
    """Runners with an engine each, on one schema."""

    def __init__(self, schema: str, victim: Sequence[str]) -> None:
        super().__init__()
        self._schema = schema
        self._store = PostgresHostStateStore(url_of(schema), schema=schema, pool_size=2)
        self._victim = victim

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        await self._store.close()

    def make(self, *, concurrency: int = 4, lease: float | None = None) -> DurableTaskRunner:
        runner = ProcrastinateTaskRunner(
            url_of(self._schema), concurrency=concurrency, lease=lease or self.lease, poll=0.05
        )
        runner.bind(
            RunnerServices(store=self._store, clock=SystemTime(), ids=RandomIds(), logger=self.logger)
        )
        return runner

    @property
    def the_store(self) -> HostStateStore:
        """The host's store, open."""
        return self._store

    def store_of(self, runner: DurableTaskRunner) -> HostStateStore | None:
        return self._store

    async def sever(self, runner: DurableTaskRunner) -> None:
        """As the engine does with a worker that was silent for long: whoever starts next takes its row away."""
        self.run(
            "DELETE FROM procrastinate_workers WHERE id IN "
            "(SELECT worker_id FROM procrastinate_jobs WHERE status = 'doing')"
        )

    async def schedule_damaged(self, runner: DurableTaskRunner, name: str, key: str) -> TaskHandle | None:
        planned = runner.plan(name, "secret words", key=key)
        await self._store.execute(*(_damaged(statement) for statement in planned.statements))
        return planned.handle

    def victim(self) -> Sequence[str] | None:
        return self._victim

    def run(self, sql: str) -> list[Any]:
        """Runs SQL beside the engine; the rows, where it returns some."""
        with psycopg.connect(url_of(self._schema), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


def _damaged(statement: Statement) -> Statement:
    arguments = json.loads(statement.params["args"]) | {"payload": '{"secret words'}
    return dataclasses.replace(statement, params={**statement.params, "args": json.dumps(arguments)})
