"""A store with dead letters in it, and the commands that operators use on it, as they run them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hosting import InboundEvent
from hosting.cli import main
from hosting.delivery.kept_context import with_context
from hosting.delivery.outbox import delivery_row
from hosting.delivery.payload import text_result
from hosting.envelope import Destination
from hosting.state import HostStateStore, PostgresHostStateStore, SqliteHostStateStore
from hosting.state.tables import events, outbox, tasks
from tests.real_server.servers import ROOT, process_environment
from tests.state import postgres_server

TEXT = "what a person wrote"


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: a folder's file, or a schema of PostgreSQL."""

    folder: Path
    schema: str = ""

    def store(self) -> HostStateStore:
        if self.schema:
            return PostgresHostStateStore(postgres_server.URL, schema=self.schema)
        return SqliteHostStateStore(self.folder / "hosting.db")

    @property
    def options(self) -> list[str]:
        if self.schema:
            return ["--state", postgres_server.URL, "--schema", self.schema]
        return ["--state-dir", str(self.folder)]

    def run(self, *command: str) -> Ended:
        """The command on this store, in this process."""
        with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
            code = main([*command, *self.options])
        return Ended(code, output.getvalue(), errors.getvalue())

    def process(self, *command: str) -> Ended:
        """The command on this store, in a process of its own."""
        return hosting(*command, *self.options)

    def json(self, *command: str) -> Any:
        ended = self.run(*command, "--json")
        assert ended.returncode in (0, 1), ended.stderr
        return json.loads(ended.stdout)

    def change(self, act: Callable[[HostStateStore], Any]) -> None:
        """Does something to the store from here."""

        async def changed() -> None:
            store = self.store()
            await store.open()
            try:
                await act(store)
            finally:
                await store.close()

        asyncio.run(changed())


def hosting(*command: str) -> Ended:
    """The command, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "hosting.cli", *command],
        env=process_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


async def bury(store: HostStateStore) -> None:
    """Two dead events, a dead delivery and an unknown one, and a dead task."""
    now = int(time.time() * 1000)
    for number in (1, 2):
        await store.execute(claim(number, now))
    taken = await store.execute(events.take_events("gone", now_ms=now, limit=9))
    await store.execute(
        *(events.end_event(each.seq, each.fence, "dead") for each in events.read_events(taken[0]))
    )
    for id in ("dlv_dead", "dlv_unknown"):
        await store.execute(
            delivery_row(
                id=id,
                turn_id="turn_1",
                destination=Destination("notes", "person", id),
                result=text_result(TEXT),
                now_ms=now,
            )
        )
    await store.execute(outbox.take_deliveries("gone", now_ms=now, limit=9))
    await store.execute(
        outbox.end_delivery("dlv_dead", 1, "dead", now_ms=now),
        outbox.end_delivery("dlv_unknown", 1, "unknown", now_ms=now),
    )
    await bury_task(store, now)


async def bury_task(store: HostStateStore, now: int, id: str = "task_dead") -> None:
    """A task of one attempt that failed."""
    scheduled = tasks.add_task(
        id=id,
        name="remind",
        payload=json.dumps({"text": TEXT}),
        trace=None,
        order_key=f"of {id}",
        policy="{}",
        max_attempts=1,
        due_ms=now,
        now_ms=now,
    )
    await store.execute(scheduled, tasks.take_tasks("gone", now_ms=now, lease_until_ms=now, limit=1))
    ended = tasks.end_task(id, 1, "failed", error="KeyError", now_ms=now, expires_ms=now + 86_400_000)
    await store.execute(ended)


def claim(number: int, now: int) -> Any:
    """An event of the channel `notes`."""
    event = InboundEvent(delivery_id=f"update-{number}", payload={"text": TEXT}, conversation_id=str(number))
    return events.claim_event(
        channel="notes",
        delivery_id=event.delivery_id,
        lane=str(number),
        payload=with_context(msgspec.json.encode(event), turn_id=f"turn_{number}").decode(),
        now_ms=now,
        expires_ms=now + 86_400_000,
    )
