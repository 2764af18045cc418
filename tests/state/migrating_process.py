"""Opens a store and dies in the middle of bringing its schema up to date: `migrating_process.py PATH STEP`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from hosting.state import SqliteHostStateStore


def die_before(step: int) -> None:
    """Kills this process when the connection is given its `step`-th text that changes the schema."""
    seen = 0

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal seen
        text = (
            str(frame.f_locals.get("sql", "")) if event == "c_call" and argument.__name__ == "execute" else ""
        )
        if text.startswith(("ALTER", "CREATE", "UPDATE schema_version", "COMMIT")):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)


async def main(path: str, step: str) -> None:
    die_before(int(step))
    store = SqliteHostStateStore(path)
    await store.open()
    await store.close()


asyncio.run(main(*sys.argv[1:]))
