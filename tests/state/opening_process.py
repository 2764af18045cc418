"""Opens a PostgreSQL store, writes one record, and says so: `opening_process.py URL SCHEMA NAME`."""

from __future__ import annotations

import asyncio
import sys

from hosting.state import PostgresHostStateStore
from hosting.state.tables import records


async def main(url: str, schema: str, name: str) -> None:
    store = PostgresHostStateStore(url, schema=schema)
    await store.open()
    await store.execute(records.put_record("opened", name, "1", now_ms=1))
    await store.close()


asyncio.run(main(*sys.argv[1:]))
