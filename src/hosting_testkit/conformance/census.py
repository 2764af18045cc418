"""What is alive outside the channel's own objects: tasks, threads, open files and sockets, open HTTP clients."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import httpx

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
        """Counts now; `known` clients are somebody else's."""
        return cls(
            tasks={id(task): f"task {task.get_name()!r}" for task in asyncio.all_tasks()},
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


def _open_clients(known: set[int]) -> dict[int, str]:
    return {
        id(item): "open httpx.AsyncClient"
        for item in gc.get_objects()
        if issubclass(type(item), httpx.AsyncClient) and not item.is_closed and id(item) not in known
    }
