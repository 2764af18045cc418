"""`python -m samples.two_replicas [MODULE:HOST]`: two replicas and the proxy, until Ctrl-C; a replica that dies stays dead.

PORT says where the proxy listens (8000), the replicas take the next two ports; DATABASE_URL names the database.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

CONFIGURATION = Path(__file__).parent / "haproxy.cfg"


def main() -> int:
    """Runs everything; 0 after Ctrl-C, 1 where something could not start."""
    if shutil.which("haproxy") is None:
        print("there is no haproxy here; install it: apt-get install haproxy", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    host_path = sys.argv[1] if len(sys.argv) > 1 else "samples.two_replicas.app:host"
    port = int(os.environ.get("PORT") or 8000)
    first, second = port + 1, port + 2
    with ExitStack() as running:
        for each in (first, second):
            _begin(running, replica_command(host_path, each))
            _wait_until_ready(each)
        _begin(running, ["haproxy", "-db", "-f", str(CONFIGURATION)], PORT=port, FIRST=first, SECOND=second)
        _wait_until_ready(port)
        print(f"http://127.0.0.1:{port} stands before the replicas on ports {first} and {second}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return 0
    return 0


def replica_command(host_path: str, port: int) -> list[str]:
    """One replica, in a process of its own."""
    return [sys.executable, "-m", "hosting.cli", "serve", host_path, "--port", str(port)]


def _begin(running: ExitStack, command: Sequence[str], **environment: int) -> None:
    more = {name: str(value) for name, value in environment.items()}
    process = subprocess.Popen(command, env={**os.environ, **more}, process_group=0)

    def end() -> None:
        process.terminate()
        process.wait()

    running.callback(end)


def _wait_until_ready(port: int) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readiness").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"nothing became ready on port {port} within a minute")


if __name__ == "__main__":
    raise SystemExit(main())
