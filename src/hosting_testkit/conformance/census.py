"""What is alive outside the channel's own objects: tasks, threads, open files and sockets, open HTTP clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx

from ..drivers.env import PLATFORM_TASK

_POOLED = ("asyncio_", "AnyIO worker thread")  # kept by the loop for the next job; nobody can leak them
_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class Census:
    """Names of what was alive at one moment, by object, so that two moments can be compared."""

    tasks: dict[int, str]
    threads: dict[int, str]
    descriptors: dict[int, str]
    clients: dict[int, str]

    @classmethod
    def take(cls, *, known: Collection[httpx.AsyncClient] = ()) -> Census:
        """Counts now; `known` clients are somebody else's, and so are those made outside `clients_noted`."""
        return cls(
            tasks={id(task): f"task {task.get_name()!r}" for task in application_tasks()},
            threads={
                thread.ident or 0: f"thread {thread.name!r}"
                for thread in threading.enumerate()
                if not thread.name.startswith(_POOLED)
            },
            descriptors=_descriptors(),
            clients=_open_clients({id(client) for client in known}),
        )

    def left_over_from(self, before: Census) -> list[str]:
        """What is alive now and was not alive before."""
        return [
            name
            for now, then in (
                (self.tasks, before.tasks),
                (self.threads, before.threads),
                (self.descriptors, before.descriptors),
                (self.clients, before.clients),
            )
            for key, name in now.items()
            if key not in then
        ]


def application_tasks() -> set[asyncio.Task[Any]]:
    """Every task but those of the platform's simulator."""
    return {task for task in asyncio.all_tasks() if not task.get_name().startswith(PLATFORM_TASK)}


def _descriptors() -> dict[int, str]:
    """Open files and sockets, where the system tells them apart by number."""
    found: dict[int, str] = {}
    if _DESCRIPTORS.is_dir():
        for entry in _DESCRIPTORS.iterdir():
            try:
                found[int(entry.name)] = f"open file {entry.readlink()}"
            except OSError:  # the descriptor of this very listing
                continue
    return found


@contextmanager
def clients_noted() -> Generator[None]:
    """Notes every `httpx.AsyncClient` that is made meanwhile, so that a census need not look at all objects."""
    made, kind = httpx.AsyncClient.__init__, httpx.AsyncClient

    @wraps(made)
    def noted(self: httpx.AsyncClient, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        _clients.add(self)

    kind.__init__ = noted
    try:
        yield
    finally:
        kind.__init__ = made


_clients: WeakSet[httpx.AsyncClient] = WeakSet()


def _open_clients(known: set[int]) -> dict[int, str]:
    return {
        id(client): f"open httpx.AsyncClient for {str(client.base_url) or 'any address'}"
        for client in _clients
        if not client.is_closed and id(client) not in known
    }
