"""A session's checkpoint: in the store, or elsewhere under the id that the store names (contract 8.4, 8.5)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..errors import HostingError, UnknownReference
from ..state.base import HostStateStore, Statement
from ..state.tables import checkpoints
from ..state.tables.checkpoints import StoredCheckpoint
from ..targets.checkpoints import CheckpointMissing, CheckpointNotSaved, decode_checkpoint, encode_checkpoint
from .checkpoint_place import CheckpointPlace
from .live import LiveSession, SessionSave

if TYPE_CHECKING:
    from agent_framework import WorkflowCheckpoint

_log = logging.getLogger("hosting.sessions")

_ELSEWHERE = "null"
"""Stands in a row for the text of a checkpoint that is kept elsewhere; no checkpoint has this text."""


class SessionCheckpoints:
    """Loads and keeps the checkpoints of sessions.

    The store's row is what counts. A checkpoint elsewhere is saved before the commit that names it, and the one before
    it is removed after; what a crash leaves between is named by no row (docs/decisions/0006).

    Args:
        store: Has a row for each session's checkpoint.
        kept: Whether there are any: an agent has none.
        place: Where they are instead of in the row.
    """

    def __init__(self, store: HostStateStore, *, kept: bool, place: CheckpointPlace | None) -> None:
        self._store = store
        self._place = place
        self.are_kept = kept

    @property
    def are_elsewhere(self) -> bool:
        """Whether a save has to go through `around`."""
        return self._place is not None

    @property
    def place(self) -> str:
        """The place in a few words; "" for the store."""
        return self._place.describe() if self._place else ""

    def own(self, session_id: str, checkpoint: WorkflowCheckpoint) -> WorkflowCheckpoint:
        """`checkpoint` as this session keeps it."""
        return checkpoint if self._place is None else self._place.own(session_id, checkpoint)

    def rows(self, session_id: str, checkpoint: WorkflowCheckpoint, now_ms: int) -> list[Statement]:
        """Names the checkpoint and forgets those before it (contract 8.4).

        Raises:
            UnregisteredType: It holds a value of a type that was not registered.
        """
        save = checkpoints.save_checkpoint(
            session_id=session_id,
            checkpoint_id=checkpoint.checkpoint_id,
            workflow_name=checkpoint.workflow_name,
            payload=encode_checkpoint(checkpoint) if self._place is None else _ELSEWHERE,
            now_ms=now_ms,
        )
        return [save, checkpoints.prune_checkpoints(session_id, keep=checkpoint.checkpoint_id)]

    async def load(self, session_id: str) -> WorkflowCheckpoint | None:
        """Where the session's last turn ended.

        Raises:
            CheckpointMissing: The store names one that is not in its place.
            WorkflowChanged: It does not fit its types any more.
        """
        if not self.are_kept:
            return None
        rows = await self._store.execute(checkpoints.load_latest_checkpoint(session_id))
        stored = checkpoints.read_checkpoint(rows[0])
        if stored is None:
            return None
        found = await self._read(stored)
        if found is None:
            raise CheckpointMissing(stored.checkpoint_id, session_id)
        return found

    async def find(self, live: LiveSession, checkpoint_id: object) -> WorkflowCheckpoint:
        """A checkpoint of this session by its id.

        Raises:
            UnknownReference: There is none, or it is another session's (contract 6.12).
        """
        if live.checkpoint is not None and live.checkpoint.checkpoint_id == checkpoint_id:
            return live.checkpoint
        found = None
        if self._place is not None and isinstance(checkpoint_id, str):
            found = await self._place.load(live.session.session_id, checkpoint_id)
        if found is None:
            raise UnknownReference("There is no such checkpoint.")
        return found

    @asynccontextmanager
    async def around(self, live: LiveSession, save: SessionSave) -> AsyncGenerator[None]:
        """Saves what is kept elsewhere before the commit inside, and removes afterwards what does not count.

        Raises:
            CheckpointNotSaved: Nothing was committed.
            UnregisteredType: Likewise.
        """
        place, checkpoint = self._place, save.elsewhere
        if place is None or checkpoint is None:
            yield
            return
        before = live.kept
        try:
            await _saved(place, live, checkpoint)
            yield
        finally:
            committed = live.kept == checkpoint.checkpoint_id
            await _tidied(place, live, checkpoint.checkpoint_id, before if committed else None, committed)

    async def forget(self, live: LiveSession) -> None:
        """Removes what a deleted session has elsewhere."""
        if self._place is None:
            return
        try:
            await self._place.keep_only(live.session.session_id, None)
        except Exception:
            _log.exception("the checkpoint of session %s could not be removed", live.session.session_id)

    async def close(self) -> None:
        if self._place is not None:
            await self._place.close()

    async def _read(self, stored: StoredCheckpoint) -> WorkflowCheckpoint | None:
        if stored.payload != _ELSEWHERE:
            return decode_checkpoint(stored.payload)
        if self._place is None:
            return None
        return await self._place.load(stored.session_id, stored.checkpoint_id)


async def _saved(place: CheckpointPlace, live: LiveSession, checkpoint: WorkflowCheckpoint) -> None:
    try:
        await place.save(live.session.session_id, checkpoint)
    except HostingError:
        raise
    except Exception as exc:  # whatever the disk or the app's storage raises
        raise CheckpointNotSaved(
            f"the checkpoint of session {live.session.session_id} could not be saved in {place.describe()}"
        ) from exc


async def _tidied(
    place: CheckpointPlace, live: LiveSession, saved: str, before: str | None, committed: bool
) -> None:
    """What counts is decided by now; a leftover is looked for when the session is loaded again."""
    session_id = live.session.session_id
    try:
        if not committed:
            await place.delete(session_id, saved)
        elif live.cold:
            await place.keep_only(session_id, saved)
            live.cold = False
        elif before is not None:
            await place.delete(session_id, before)
    except Exception:
        _log.exception("an old checkpoint of session %s could not be removed", session_id)
