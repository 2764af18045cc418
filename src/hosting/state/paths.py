"""`state_dir`: one folder for everything, or a folder per part (contract 15.3)."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..errors import ChannelConfigurationError
from .base import HostStateStore
from .folder import FolderHold
from .memory import InMemoryHostStateStore
from .sqlite import SqliteHostStateStore
from .url import open_store

_Folder = str | os.PathLike[str] | None

_FILE = "hosting.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatePaths:
    """A folder for each part of the host's state; a part that is left out lives in memory.

    Args:
        sessions: Sessions with their history, events, turns and replies to send: these stay together.
        runner: Tasks of the application.
        links: Linked identities.
        checkpoints: Checkpoints of workflows.
    """

    sessions: _Folder = None
    runner: _Folder = None
    links: _Folder = None
    checkpoints: _Folder = None


@dataclass(frozen=True, slots=True)
class StatePlan:
    """Which store keeps what.

    Args:
        store: Everything that is not named below.
        runner: Tasks of the application; the same object as `store` where they share it, so that they share transactions.
        links: Linked identities; likewise.
        checkpoints: None where they are in `store`; else their folder, or "" for memory.
        in_memory: Parts that were left out, for the start line.
    """

    store: HostStateStore
    runner: HostStateStore
    links: HostStateStore
    checkpoints: str | None = None
    in_memory: tuple[str, ...] = ()


def plan_state(
    state: Any,
    state_dir: str | os.PathLike[str] | HostStatePaths | None,
    *,
    shared: bool,
    logger: logging.Logger,
) -> StatePlan:
    """The stores that a host's options name. Does no I/O.

    Raises:
        ChannelConfigurationError: One of them does not fit.
    """
    if state is not None:
        if state_dir is not None:
            logger.warning("both state and state_dir are given; state wins")
        return _all_in(open_store(state))
    if state_dir is None:
        return _all_in(InMemoryHostStateStore())
    if not isinstance(state_dir, HostStatePaths):
        return _all_in(_in_folder(_folder(state_dir), shared=shared))
    return _parted(state_dir, shared=shared)


def _all_in(store: HostStateStore) -> StatePlan:
    return StatePlan(store=store, runner=store, links=store)


def _parted(paths: HostStatePaths, *, shared: bool) -> StatePlan:
    given = {name: getattr(paths, name) for name in ("sessions", "runner", "links", "checkpoints")}
    if not any(given.values()):
        raise ChannelConfigurationError(
            "found HostStatePaths without a folder, expected at least one; leave state_dir out to keep all in memory",
            field="state_dir",
        )
    folders = {name: _folder(folder) if folder is not None else None for name, folder in given.items()}
    stores: dict[Path | None, HostStateStore] = {
        folder: InMemoryHostStateStore() if folder is None else _in_folder(folder, shared=shared)
        for folder in {folders["sessions"], folders["runner"], folders["links"]}
    }
    checkpoints = folders["checkpoints"]
    apart = checkpoints != folders["sessions"]
    return StatePlan(
        store=stores[folders["sessions"]],
        runner=stores[folders["runner"]],
        links=stores[folders["links"]],
        checkpoints=("" if checkpoints is None else str(checkpoints)) if apart else None,
        in_memory=tuple(name for name, folder in folders.items() if folder is None),
    )


def _in_folder(folder: Path, *, shared: bool) -> SqliteHostStateStore:
    return SqliteHostStateStore(folder / _FILE, hold=FolderHold(folder, shared=shared))


def _folder(given: Any) -> Path:
    path: Any = (
        os.fspath(cast("str | os.PathLike[Any]", given)) if isinstance(given, str | os.PathLike) else given
    )
    if not isinstance(path, str) or not path.strip() or "://" in path:
        raise ChannelConfigurationError(
            f"found {'a URL' if isinstance(path, str) and '://' in path else repr(path)}, expected the path of a folder "
            "or HostStatePaths; a URL belongs into state",
            field="state_dir",
        )
    return Path(path).absolute()
