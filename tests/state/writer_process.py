"""A process of its own for the tests of the SQLite file: `write`, `share` or `fill`, then the path."""

from __future__ import annotations

import asyncio
import resource
import sys

from hosting.state import SqliteHostStateStore, StateUnavailable
from hosting.state.tables import records


async def write(store: SqliteHostStateStore) -> None:
    """Writes pairs of records for ever, eight at once; says the name of each that was acknowledged."""

    async def writer(number: int) -> None:
        for count in range(1_000_000):
            key = f"{number}-{count}"
            await store.execute(
                records.put_record("ns", key, '"' + "x" * 500 + '"', now_ms=1),
                records.put_record("ns", key + "/2", "1", now_ms=1),
            )
            print(key, flush=True)  # noqa: T201 - the parent reads it

    await asyncio.gather(*(writer(number) for number in range(8)))


async def share(store: SqliteHostStateStore, name: str) -> None:
    """Writes fifty records beside other processes."""
    for count in range(50):
        await store.execute(records.put_record("ns", f"{name}-{count}", "1", now_ms=1))


async def fill(store: SqliteHostStateStore) -> None:
    """Writes until the disk is full, makes room, and goes on."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    kept: set[str] = set()

    async def writer(number: int) -> None:
        for count in range(1_000):
            key = f"{number}-{count}"
            try:
                await store.execute(records.put_record("ns", key, '"' + "x" * 20_000 + '"', now_ms=1))
            except StateUnavailable:
                return
            kept.add(key)

    await asyncio.gather(*(writer(number) for number in range(8)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await store.execute(records.put_record("ns", "after", "1", now_ms=1))
    (rows,) = await store.execute(records.scan_records("ns", limit=100_000, now_ms=1))
    assert kept
    assert {row[0] for row in rows} == kept | {"after"}
    print("recovered")  # noqa: T201 - the parent reads it


async def main(what: str, *arguments: str) -> None:
    store = SqliteHostStateStore(arguments[-1])
    await store.open()
    if what == "write":
        await write(store)
    elif what == "share":
        await share(store, arguments[0])
    else:
        await fill(store)
    await store.close()


asyncio.run(main(*sys.argv[1:]))
