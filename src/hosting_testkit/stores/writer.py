"""A process that writes until it is killed: `python -m hosting_testkit.stores.writer FACTORY ARGUMENT`."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import sys

from hosting import HostStateStore

from .materials import put

_WRITERS = 4


async def _write(store: HostStateStore) -> None:
    own = secrets.token_hex(3)

    async def writer(number: int) -> None:
        for count in range(1_000_000):
            name = f"{own}-{number}-{count}"
            await store.execute(put(name, '"' + "x" * 300 + '"'), put(f"{name}/2"))
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()

    await store.open()
    await asyncio.gather(*(writer(number) for number in range(_WRITERS)))


if __name__ == "__main__":
    module, _, function = sys.argv[1].partition(":")
    asyncio.run(_write(getattr(importlib.import_module(module), function)(sys.argv[2])))
