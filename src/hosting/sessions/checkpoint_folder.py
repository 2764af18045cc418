"""Checkpoints as files: a folder for each session, names that nothing can climb out of (contract 8.4, 8.5)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..targets.checkpoints import decode_checkpoint, encode_checkpoint

if TYPE_CHECKING:
    from agent_framework import WorkflowCheckpoint

T = TypeVar("T")

_THREADS = 4


class CheckpointFolder:
    """A `CheckpointPlace` on disk. Ids become digests, so no id can name a file elsewhere.

    Args:
        root: Holds the folders of the sessions; made at the first save.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads: ThreadPoolExecutor | None = None

    def describe(self) -> str:
        return "files"

    def own(self, session_id: str, checkpoint: WorkflowCheckpoint) -> WorkflowCheckpoint:
        return checkpoint

    async def save(self, session_id: str, checkpoint: WorkflowCheckpoint) -> None:
        """Writes the file beside its name, then renames it.

        Raises:
            UnregisteredType: It holds a value of a type that was not registered.
            OSError: The file cannot be written.
        """
        text = encode_checkpoint(checkpoint)
        path = self._path(session_id, checkpoint.checkpoint_id)
        await self._in_thread(lambda: _write(path, text))

    async def load(self, session_id: str, checkpoint_id: str) -> WorkflowCheckpoint | None:
        """Reads the file.

        Raises:
            UnregisteredType: It holds a value of a type that is not registered any more.
            WorkflowChanged: It does not fit its types any more.
            OSError: The file is there and cannot be read.
        """
        path = self._path(session_id, checkpoint_id)
        text = await self._in_thread(lambda: _read(path))
        return None if text is None else decode_checkpoint(text)

    async def delete(self, session_id: str, checkpoint_id: str) -> None:
        path = self._path(session_id, checkpoint_id)
        await self._in_thread(lambda: _remove([path]))

    async def keep_only(self, session_id: str, checkpoint_id: str | None) -> None:
        folder = self._root / _digest(session_id)
        kept = _file_name(checkpoint_id) if checkpoint_id is not None else None
        await self._in_thread(lambda: _remove([path for path in _files(folder) if path.name != kept]))

    async def close(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()

    def _path(self, session_id: str, checkpoint_id: str) -> Path:
        return self._root / _digest(session_id) / _file_name(checkpoint_id)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Runs `work` off the event loop; a cancelled caller still waits for its end, so that calls never overlap."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "hosting-checkpoints")
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.wait([job])
            job.exception()  # nobody else will look at it
            raise


def _digest(id: str) -> str:
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def _file_name(checkpoint_id: str) -> str:
    return f"{_digest(checkpoint_id)}.json"


def _write(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, mode=0o700)
        _to_disk(path.parent.parent)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    _to_disk(path.parent)


def _to_disk(folder: Path) -> None:
    """A name is on disk once its folder is; only POSIX systems can say so of a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        with suppress(OSError):  # it is gone, or others are still in it
            folder.rmdir()
