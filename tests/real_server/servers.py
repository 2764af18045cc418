"""Real server processes on loopback: Hypercorn through `hosting serve`, uvicorn and Granian."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import httpx
import psutil

ROOT = Path(__file__).parent.parent.parent

ServerName = Literal["hypercorn", "uvicorn", "granian"]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready.

    Args:
        port: Where it listens.
        process: Its process.
        log: What it wrote, stdout and stderr.
    """

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> set[int]:
        """Its child processes."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def kill(self) -> None:
        """Ends it and its children at once."""
        children = psutil.Process(self.process.pid).children() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for child in children:
            child.kill()
        psutil.wait_procs(children)


@contextmanager
def started(
    folder: Path,
    *,
    server: ServerName = "hypercorn",
    host: str = "agent",
    options: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    """A server with its state in `folder`, once it answers; it is killed with the block, if it has not ended."""
    port, log = free_port(), folder / "server.log"
    env = process_environment(STATE_DIR=str(folder / "state"), **environment)
    command = [sys.executable, *_command(server, host, port), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=env, cwd=ROOT)
    running = Server(port, process, log)
    try:
        _wait_until_ready(running)
        yield running
    finally:
        running.kill()


def _command(server: ServerName, host: str, port: int) -> list[str]:
    if server == "hypercorn":
        path = host if ":" in host else f"tests.real_server.hosts:{host}"
        return ["-m", "hosting.cli", "serve", path, "--port", str(port)]
    app = f"tests.real_server.hosts:{host}_app"
    if server == "granian":
        return ["-m", "granian", "--interface", "asgi", "--factory", app, "--port", str(port)]
    return ["-m", "uvicorn", "--factory", app, "--port", str(port), "--ws", "websockets-sansio"]


def process_environment(**more: str) -> dict[str, str]:
    """The environment of a process that can import these tests."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, **more}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if httpx.get(f"{server.url}/readiness").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"not ready within 90 s: {server.log.read_text()}")
