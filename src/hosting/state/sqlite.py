"""The embedded durable store: one SQLite file in WAL mode (contract 15.1)."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from .base import Rows, Statement
from .database import Database, connect
from .errors import StateUnavailable
from .writer import WriterThread

_CHECKED_BYTES = 64 * 1024 * 1024
"""A file of up to this size is read through at the start; damage in a larger one shows when it is touched."""


class SqliteHostStateStore:
    """Keeps the host's state in one file, written by one thread with group commit and `synchronous=FULL`.

    What `execute` returned survives a crash of the process and of the machine. Several processes on one machine may
    share the file; it must not lie on a network file system.

    Args:
        path: The file; it and its folder are made where they do not exist, readable to their owner only.
        busy_timeout: Seconds to wait for another process's lock before `StateUnavailable`.
    """

    durable = True
    inline = False

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = 10.0) -> None:
        self._path = Path(path)
        self._busy_timeout = busy_timeout
        self._writer: WriterThread | None = None

    def describe(self) -> str:
        return f"SQLite file {self._path.name}"

    async def open(self) -> None:
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

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self._writer is None:
            raise StateUnavailable("the state store is not open: call `await store.open()` first")
        return await self._writer.run(unit)

    def _open_database(self) -> Database:
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
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        database = Database(connect(address, busy_timeout=self._busy_timeout, uri=True), str(self._path))
        try:
            database.version()
            if self._path.stat().st_size <= _CHECKED_BYTES:
                database.check()
        except StateUnavailable:
            return  # locked, or in need of a repair that only a writer can make: the writer will see
        finally:
            database.close()

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
