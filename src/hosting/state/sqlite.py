"""The embedded durable store: one SQLite file in WAL mode (contract 15.1)."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from .base import Rows, Statement
from .database import Database, connect
from .errors import StateUnavailable
from .folder import FolderHold
from .signals import Wakers
from .writer import WriterThread

_CHECKED_BYTES = 64 * 1024 * 1024
"""A file of up to this size is read through at the start; damage in a larger one shows when it is touched."""


_PREDECESSOR = 0.05
"""Seconds between two looks at whether the process before this one has ended."""


class SqliteHostStateStore:
    """Keeps the host's state in one file, written by one thread with group commit and `synchronous=FULL`.

    What `execute` returned survives a crash of the process and of the machine. Several processes on one machine may
    share the file; it must not lie on a network file system.

    Args:
        path: The file; it and its folder are made where they do not exist, readable to their owner only.
        busy_timeout: Seconds to wait for another process's lock before `StateUnavailable`.
        exclusive: Whether something else sees to it that one host at a time opens the file, such as the lock of a
            `state_dir`: it then takes over at once from a host that was killed, and needs no locks between hosts.
        hold: Taken before the file is opened and released after it was closed; says itself whether it is exclusive.
    """

    durable = True
    inline = False
    signals_between_processes = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        busy_timeout: float = 10.0,
        exclusive: bool = False,
        hold: FolderHold | None = None,
    ) -> None:
        self.exclusive = exclusive or (hold is not None and hold.is_alone)
        self._hold = hold
        self._path = Path(path)
        self._busy_timeout = busy_timeout
        self._wakers = Wakers()
        self._writer: WriterThread | None = None

    def describe(self) -> str:
        return f"SQLite file {self._path.name}"

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def hold(self) -> FolderHold | None:
        """The right to use the file's folder, for a supervisor, which takes it and opens nothing."""
        return self._hold

    @property
    def predecessor_drains(self) -> bool:
        """Whether a process that handed the folder over is still at work in it."""
        return self._hold is not None and self._hold.predecessor_drains

    def hand_over(self) -> None:
        """Lets the next process open the folder; called when draining begins (contract 15.3)."""
        if self._hold is not None:
            self._hold.hand_over()

    async def schema_version(self) -> int:
        """The version of the schema as it is, 0 where there is none; the store need not be open. Changes nothing."""
        return await asyncio.to_thread(self._read_version)

    async def open(self) -> None:
        if self._writer is None and self._hold is not None:
            await self._succeed(self._hold)
        if self._writer is None:
            self._writer = WriterThread(self._open_database)
        writer = self._writer
        try:
            await writer.opened()
        except Exception:
            if self._writer is writer:
                self._writer = None
            raise

    async def close(self) -> None:
        writer = self._writer
        if writer is not None:
            await writer.close()
            if self._writer is writer:
                self._writer = None
                self._release()

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self._writer is None:
            raise StateUnavailable("the state store is not open: call `await store.open()` first")
        try:
            rows = await self._writer.run(unit)
        except asyncio.CancelledError:  # the unit may be kept all the same
            self._wakers.wake_for(unit)
            raise
        self._wakers.wake_for(unit)
        return rows

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return self._wakers.subscribe(topic, event)

    async def _succeed(self, hold: FolderHold) -> None:
        """Takes the folder, and waits for a process that handed it over and still works off what it began."""
        await asyncio.to_thread(hold.take)
        if not (hold.is_alone and hold.predecessor_drains):
            return
        logging.getLogger("hosting").info("waiting for the process that had this state before, which drains")
        try:
            while hold.predecessor_drains:  # noqa: ASYNC110 - nothing in this process tells of another one's end
                await asyncio.sleep(_PREDECESSOR)
        except BaseException:
            self._release()
            raise

    def _open_database(self) -> Database:
        if self._hold is not None:
            self._hold.take()
        try:
            return self._opened_database()
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        if self._hold is not None:
            self._hold.release()

    def _opened_database(self) -> Database:
        _create_private(self._path)
        if self._path.stat().st_size:
            self._refuse_unfit()
        database = Database(connect(str(self._path), busy_timeout=self._busy_timeout), str(self._path))
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        return database

    def _refuse_unfit(self) -> None:
        """Reads the file without a right to write it: a damaged, foreign or newer one is left exactly as it is."""
        database = Database(self._readable(), str(self._path))
        try:
            database.version()
            if self._path.stat().st_size <= _CHECKED_BYTES:
                database.check()
        except StateUnavailable:
            return  # locked, or in need of a repair that only a writer can make: the writer will see
        finally:
            database.close()

    def _read_version(self) -> int:
        if not self._path.exists():
            return 0
        database = Database(self._readable(), str(self._path))
        try:
            return database.version()
        finally:
            database.close()

    def _readable(self) -> sqlite3.Connection:
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        return connect(address, busy_timeout=self._busy_timeout, uri=True)

    def _prepare(self, database: Database) -> None:
        settings = (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            "PRAGMA cache_size = -16384",
            "PRAGMA journal_size_limit = 67108864",
        )
        for setting in settings:
            database.command(setting)
        database.migrate()


def _create_private(path: Path) -> None:
    """Makes the file, so that it and what SQLite puts beside it are readable to its owner only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StateUnavailable(f"{path}: {error.strerror}. Check that its folder can be written.") from error
