"""Servers under load: each is a process of its own on a port that was free, pinned to one core."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from . import processes
from .places import Place, StoreKind, place

Software = Literal["uvicorn", "hypercorn"]
App = Literal["by_hand", "memory", "sqlite", "agent-sqlite", "agent-postgres", "slow-agent-sqlite"]
"""The route written by hand, or the host by its target and where its state is."""

_KINDS: Mapping[App, StoreKind] = {
    "by_hand": "memory",
    "memory": "memory",
    "sqlite": "sqlite",
    "agent-sqlite": "sqlite",
    "agent-postgres": "postgres",
    "slow-agent-sqlite": "sqlite",
}

_START_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers.

    Args:
        port: Where, on loopback.
        process: Its process.
        place: Where its state is.
    """

    port: int
    process: psutil.Process
    place: Place

    def cpu_seconds(self) -> float:
        """Processor time that it used so far, in all of its threads."""
        used = self.process.cpu_times()
        return used.user + used.system

    def resident_bytes(self) -> int:
        return self.process.memory_info().rss

    def stored_bytes(self) -> int:
        """What its state takes in its folder, write-ahead log included."""
        return sum(item.stat().st_size for item in Path(self.place.where).parent.iterdir())


@contextmanager
def serving(
    app: App, software: Software, *, prepare: Callable[[Place], None] | None = None
) -> Generator[Server]:
    """Serves `app` for the length of a block.

    Args:
        app: What.
        software: With what.
        prepare: Called with the place of its state before it starts.

    Raises:
        RuntimeError: It did not start.
    """
    with place(_KINDS[app]) as found:
        if prepare is not None:
            prepare(found)
        where = [found.where] if found.where else []
        process = processes.start("-m", "benchmarks.serve", app, software, *where)
        try:
            port = process.stdout.readline() if process.stdout else ""
            if not port:
                raise RuntimeError(f"the {software} server of {app!r} ended before it listened")
            _wait_until_it_answers(int(port))
            yield Server(int(port), psutil.Process(process.pid), found)
        finally:
            processes.stop(process)


def _wait_until_it_answers(port: int) -> None:
    """The socket listens already, so one request waits for the application to have started."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_TIMEOUT)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    finally:
        connection.close()
