"""Servers under load: each is a process of its own on a port that was free, pinned to one core."""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from . import processes

Software = Literal["uvicorn", "hypercorn"]
App = Literal["by_hand", "memory", "sqlite"]
"""The route written by hand, or the host by where its state is."""

_START_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers.

    Args:
        port: Where, on loopback.
        process: Its process.
        folder: Where its state is, if it is on disk.
    """

    port: int
    process: psutil.Process
    folder: Path

    def cpu_seconds(self) -> float:
        """Processor time that it used so far, in all of its threads."""
        used = self.process.cpu_times()
        return used.user + used.system

    def resident_bytes(self) -> int:
        return self.process.memory_info().rss

    def stored_bytes(self) -> int:
        """What its state takes on disk, write-ahead log included."""
        return sum(item.stat().st_size for item in self.folder.iterdir())


@contextmanager
def serving(app: App, software: Software) -> Generator[Server]:
    """Serves `app` for the length of a block.

    Raises:
        RuntimeError: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="hosting-benchmark-") as folder:
        state = [folder] if app == "sqlite" else []
        process = processes.start("-m", "benchmarks.serve", app, software, *state)
        try:
            port = process.stdout.readline() if process.stdout else ""
            if not port:
                raise RuntimeError(f"the {software} server of {app!r} ended before it listened")
            _wait_until_it_answers(int(port))
            yield Server(int(port), psutil.Process(process.pid), Path(folder))
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
