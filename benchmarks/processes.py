"""Python processes of our own that find the same modules as this one."""

from __future__ import annotations

import os
import subprocess
import sys


def start(*arguments: str, stdin: int | None = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """Starts `python ARGUMENTS` with its standard output as a pipe."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, *arguments], stdin=stdin, stdout=subprocess.PIPE, text=True, env=environment
    )


def stop(process: subprocess.Popen[str], *, patience: float = 10.0) -> None:
    """Ends a process, by force after `patience` seconds."""
    process.terminate()
    try:
        process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
