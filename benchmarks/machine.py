"""What the numbers depend on: kind of machine, versions, and how busy it was; no names and no paths."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version

import psutil

_LIBRARIES = (
    "agent-framework-core",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "Hypercorn",
    "msgspec",
)


def facts() -> dict[str, str]:
    """Facts by name, as text."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        **{name.lower(): version(name) for name in _LIBRARIES},
    }


def load_average() -> float:
    """Processes that wanted to run in the last minute, ours included; above 2 or so, others were at work too."""
    return os.getloadavg()[0]
