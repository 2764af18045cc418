"""The processes of a sweep as their parent sees them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .job import Job

_PATIENCE = 60.0


@dataclass(eq=False)
class Victim:
    """One process.

    Args:
        job: What it was to be.

    Attributes:
        said: What it reported, by the field's name; the last one counts.
        ran: Texts that its target was given, in order.
    """

    job: Job
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    ran: list[str] = field(default_factory=list[str])
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, said: dict[str, Any]) -> None:
        """Takes one report."""
        self.said |= said
        if "running" in said:
            self.ran.append(said["running"])
        self.changed.set()

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return "exit" in self.said

    @property
    def dying(self) -> str | None:
        """The step at which it killed itself."""
        return self.said.get("dying")

    @property
    def port(self) -> int | None:
        """Where it serves; None before it does, and after its end."""
        return None if self.gone else self.said.get("ready")

    async def until(self, *fields: str) -> None:
        """Waits until it reported one of `fields`, or has ended.

        Raises:
            TimeoutError: Nothing of that came.
        """
        async with asyncio.timeout(_PATIENCE):
            while not self.gone and not any(name in self.said for name in fields):
                self.changed.clear()
                await self.changed.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, if it lives."""
        with suppress(ProcessLookupError):
            if not self.gone:
                os.kill(self.said["pid"], number)

    async def kill(self) -> None:
        """Ends it from outside."""
        self.signal(signal.SIGKILL)
        await self.until("exit")


class Processes:
    """Starts victims through one process that has imported everything."""

    def __init__(self, zygote: asyncio.subprocess.Process) -> None:
        self._zygote = zygote
        self._victims: dict[str, Victim] = {}

    async def start(self, job: Job) -> Victim:
        """A new process, which has begun to start."""
        victim = self._victims[job.id] = Victim(job)
        assert self._zygote.stdin
        self._zygote.stdin.write(msgspec.json.encode(job) + b"\n")
        await victim.until("pid")
        return victim

    async def listen(self) -> None:
        """Hands reports on, until the processes' common parent ends."""
        assert self._zygote.stdout
        while line := await self._zygote.stdout.readline():
            said = json.loads(line)
            victim = self._victims[said.pop("id")]
            victim.hear(said)
            if victim.gone:
                del self._victims[victim.job.id]


@asynccontextmanager
async def processes() -> AsyncGenerator[Processes]:
    """All processes of the block end with it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    zygote = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.crashes.zygote",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    found = Processes(zygote)
    listening = asyncio.create_task(found.listen())
    try:
        yield found
    finally:
        assert zygote.stdin
        zygote.stdin.close()
        await zygote.wait()
        await listening
