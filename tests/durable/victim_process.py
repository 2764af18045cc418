"""A process that the suite kills: `sqlite PATH ATTEMPTS`, `postgres URL SCHEMA ATTEMPTS`, `procrastinate URL ATTEMPTS`."""

from __future__ import annotations

import asyncio
import sys

from hosting_testkit.runners.victim import serve
from tests.durable.backends import BACKENDS


async def main(kind: str, *arguments: str) -> None:
    harness = BACKENDS[kind](*arguments[:-1])
    await harness.open()
    await serve(harness.make(), int(arguments[-1]))


asyncio.run(main(*sys.argv[1:]))
