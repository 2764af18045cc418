"""A process of its own that opens the store of a folder: `holder_process.py FOLDER [shared] [drain]`.

It says what it waits for, `open` or the error, then does what each line of its input asks: `drain`, `close`, `child`, `write KEY`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import sys
from pathlib import Path

from hosting.state import FolderHold, SqliteHostStateStore, StateDirInUse
from hosting.state.tables import records


def say(word: str) -> None:
    print(word, flush=True)  # noqa: T201 - the parent reads it


logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")


async def main(folder: str, *options: str) -> None:
    hold = FolderHold(folder, shared="shared" in options)
    store = SqliteHostStateStore(Path(folder) / "hosting.db", hold=hold)
    try:
        await store.open()
    except StateDirInUse as error:
        say(f"in use: {error}")
        return
    say(f"open alone={store.exclusive} drains={store.predecessor_drains}")
    for line in sys.stdin:
        what, _, key = line.strip().partition(" ")
        if what == "drain":
            store.hand_over()
        elif what == "close":
            await store.close()
        elif what == "child" and os.fork() == 0:
            select.select([], [], [], 10)
            os._exit(0)
        elif what == "write":
            await store.execute(records.put_record("ns", key, "1", now_ms=1))
        say("done")


asyncio.run(main(*sys.argv[1:]))
