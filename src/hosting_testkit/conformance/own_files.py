"""The files that a channel keeps by itself, outside the host's store: seen as it opens them (contract 15.4)."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR
_OF_OTHERS = (".pyc", ".pyo")

_watching: list[OwnFiles] = []
_hooked: list[bool] = []


class OwnFiles:
    """What is opened while it watches, in any thread."""

    def __init__(self) -> None:
        self._written: set[Path] = set()
        self._read: set[Path] = set()
        self._truncated: set[Path] = set()

    @contextmanager
    def watched(self) -> Generator[None]:
        """Watches. The interpreter keeps the hook for good; it does nothing while nobody watches."""
        if not _hooked:
            sys.addaudithook(_seen)
            _hooked.append(True)
        _watching.append(self)
        try:
            yield
        finally:
            _watching.remove(self)

    @property
    def kept(self) -> Sequence[Path]:
        """Files that are there, were written, and were read again later: files of state."""
        return sorted(path for path in self._written & self._read if path.is_file())

    @property
    def truncated(self) -> Sequence[Path]:
        """Those of `kept` that were emptied to be written anew: who dies in between has lost them."""
        return [path for path in self.kept if path in self._truncated]

    def opened(self, path: Path, *, writes: bool, empties: bool) -> None:
        """Somebody opens a file."""
        if not writes:
            if path in self._written:
                self._read.add(path)
            return
        self._written.add(path)
        if empties and path.is_file() and path.stat().st_size:
            self._truncated.add(path)

    def replaced(self, path: Path) -> None:
        """A file took the place of this one."""
        self._written.add(path)


def _seen(event: str, args: tuple[Any, ...]) -> None:
    if not _watching or event not in ("open", "os.rename"):
        return
    name = args[0] if event == "open" else args[1]
    if not isinstance(name, str | bytes | os.PathLike):
        return
    path = Path(os.path.realpath(os.fsdecode(name)))  # pyright: ignore[reportUnknownArgumentType]
    if path.suffix in _OF_OTHERS:
        return
    for watcher in _watching:
        if event == "os.rename":
            watcher.replaced(path)
        else:
            mode, flags = str(args[1] or ""), int(args[2] or 0)
            writes = bool(set(mode) & set("wax+")) or bool(flags & _WRITING)
            watcher.opened(path, writes=writes, empties="w" in mode or bool(flags & os.O_TRUNC))
