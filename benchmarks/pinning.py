"""Cores: what is measured gets one for itself, the load generator another."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager


def server_core() -> int | None:
    """The core of servers and of in-process measurements; None where cores cannot be chosen."""
    cores = _allowed()
    return min(cores) if cores else None


def load_core() -> int | None:
    """The core of the load generator: another one, if there is another."""
    cores = _allowed()
    return max(cores) if cores else None


def pin(core: int | None) -> None:
    """Keeps this process, with all threads that it starts from now on, on one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


@contextmanager
def pinned() -> Generator[None]:
    """Keeps this process on the measured core for the length of a block."""
    cores = _allowed()
    pin(server_core())
    try:
        yield
    finally:
        if cores:
            os.sched_setaffinity(0, cores)


def _allowed() -> set[int]:
    """The cores that this process may use; empty on systems without a say in it."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
