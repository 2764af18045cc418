"""Who holds the folder of a `state_dir`: one process, one group of workers, or all who share it (contract 15.3).

The hold is a lock of the operating system on a file in the folder, so it goes with its process, however that ends. The file
says who took it, for the error that another process gets; it is never removed.

A group is what has the same text in the environment variable `HOSTING_STATE_GROUP`. A supervisor makes one
(`new_group`), takes the hold before it starts its workers, and gives them its environment; each worker joins. The folder is
the group's until the last of them has ended, so workers whose supervisor was killed are still protected from another one.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import sys
import weakref
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from .errors import StateDirInUse, StateUnavailable

if sys.platform != "win32":
    import fcntl

GROUP_VARIABLE = "HOSTING_STATE_GROUP"
_SHARED = "shared"
_HOLD, _DRAIN = "hosting.db.lock", "hosting.db.drain"


def new_group() -> str:
    """Puts this process, and those that it starts from now on, into one new group; returns its name."""
    os.environ[GROUP_VARIABLE] = secrets.token_hex(16)
    return os.environ[GROUP_VARIABLE]


class FolderHold:
    """The right to use a folder.

    Args:
        folder: It is made where it does not exist, readable to its owner only.
        shared: Whether processes that also say so may use it at the same time.
    """

    def __init__(self, folder: str | os.PathLike[str], *, shared: bool = False) -> None:
        self._folder = Path(folder)
        group = os.environ.get(GROUP_VARIABLE)
        self._group = _SHARED if shared else _digest(group) if group else None
        self._held: int | None = None
        self._draining: int | None = None
        _holds.add(self)

    @property
    def is_alone(self) -> bool:
        """Whether no other process can hold the folder at the same time."""
        return self._group is None

    @property
    def predecessor_drains(self) -> bool:
        """Whether a process that handed the folder over is still at work in it."""
        return sys.platform != "win32" and self._sees_a_drain()

    def take(self) -> None:
        """Takes the folder, or joins those who hold it; does nothing where it is held.

        Whoever takes it from a process that handed it over waits for that one's end before it touches the state
        (`predecessor_drains`): the other still runs turns, and writes in the schema that it knows.

        Raises:
            StateDirInUse: Others hold it.
            StateUnavailable: The folder cannot be made or written.
        """
        if self._held is not None or sys.platform == "win32":
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _one_at_a_time(self._folder):
                self._held = self._taken()
        except OSError as error:
            raise StateUnavailable(
                f"{self._folder}: {error.strerror}. Check that the folder can be made and written."
            ) from error

    def hand_over(self) -> None:
        """Lets the next process take the folder while this one still works off what it began (contract 1.7)."""
        if self._held is not None and sys.platform != "win32":
            with suppress(OSError):
                self._draining = _opened(self._folder / _DRAIN)
                fcntl.flock(self._draining, fcntl.LOCK_SH | fcntl.LOCK_NB)
            os.close(self._held)
            self._held = None

    def release(self) -> None:
        """Lets go of the folder; may be called again."""
        for descriptor in (self._held, self._draining):
            if descriptor is not None:
                os.close(descriptor)
        self._held = self._draining = None

    def _taken(self) -> int:
        descriptor = _opened(self._folder / _HOLD)
        try:
            if _locked(descriptor, alone=True):
                _write(descriptor, self._group)
                if not self.is_alone:
                    _locked(descriptor, alone=False)
                return descriptor
            holder = _read(descriptor)
            joins = not self.is_alone and holder.get("group") == self._group
            if joins and _locked(descriptor, alone=False):
                return descriptor
            raise StateDirInUse(_in_use(self._folder, holder))
        except BaseException:
            os.close(descriptor)
            raise

    def _sees_a_drain(self) -> bool:
        if not (self._folder / _DRAIN).exists():
            return False
        descriptor = _opened(self._folder / _DRAIN)
        try:
            return not _locked(descriptor, alone=True)
        finally:
            os.close(descriptor)


_holds: weakref.WeakSet[FolderHold] = weakref.WeakSet()


def _forget_in_child() -> None:
    """A forked child has copies of the descriptors, which would hold the folder after its parent's end."""
    for hold in _holds:
        hold.release()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_in_child)

    def _locked(descriptor: int, *, alone: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _one_at_a_time(folder: Path) -> Generator[None]:
        """Between looking and locking nobody else decides."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _write(descriptor: int, group: str | None) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": started, "group": group}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _read(descriptor: int) -> dict[str, Any]:
    try:
        holder: Any = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return cast("dict[str, Any]", holder) if isinstance(holder, dict) else {}


def _in_use(folder: Path, holder: dict[str, Any]) -> str:
    who = "another process"
    if "pid" in holder:
        who = f"process {holder['pid']} on {holder.get('host')}, since {holder.get('started')}"
    if holder.get("group") == _SHARED:
        who += ", which shares it (shared_state_dir=True)"
    elif holder.get("group"):
        who += ", with its workers"
    return (
        f"{folder}: found it in use by {who}, expected nobody. Stop that one first, give this one a folder of its own, or "
        "set shared_state_dir=True in all of them."
    )


def _digest(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()[:32]
