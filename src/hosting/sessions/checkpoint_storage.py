"""Checkpoints in a `CheckpointStorage` of the app's own (contract 8.5)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from agent_framework.exceptions import WorkflowCheckpointException

if TYPE_CHECKING:
    from agent_framework import CheckpointStorage, WorkflowCheckpoint


class AppCheckpoints:
    """A `CheckpointPlace` over core's `CheckpointStorage`, which knows workflows but no sessions.

    So a session's checkpoints have ids that begin with the session's; whatever else is in the storage is left alone.
    Values go to the storage as they are, so how it encodes them is the app's choice.

    Args:
        storage: The app's own; the host never closes it.
        workflow: Name of the workflow, for listing.
    """

    def __init__(self, storage: CheckpointStorage, *, workflow: str) -> None:
        self._storage = storage
        self._workflow = workflow

    def describe(self) -> str:
        return f"the app's {type(self._storage).__name__}"

    def own(self, session_id: str, checkpoint: WorkflowCheckpoint) -> WorkflowCheckpoint:
        """A fork's copy must not replace its parent's, so the id is this session's."""
        last = checkpoint.checkpoint_id.rpartition(".")[2]
        return dataclasses.replace(checkpoint, checkpoint_id=f"{session_id}.{last}")

    async def save(self, session_id: str, checkpoint: WorkflowCheckpoint) -> None:
        """Gives the checkpoint to the storage.

        Raises:
            ValueError: The storage keeps it under another id.
        """
        given = await self._storage.save(checkpoint)
        if given != checkpoint.checkpoint_id:
            raise ValueError(
                f"{type(self._storage).__name__}.save() returned {given!r} for checkpoint "
                f"{checkpoint.checkpoint_id!r}; it must keep the checkpoint under its own id"
            )

    async def load(self, session_id: str, checkpoint_id: str) -> WorkflowCheckpoint | None:
        if not _is_of(session_id, checkpoint_id):
            return None
        try:
            return await self._storage.load(checkpoint_id)
        except WorkflowCheckpointException:
            return None

    async def delete(self, session_id: str, checkpoint_id: str) -> None:
        if _is_of(session_id, checkpoint_id):
            await self._storage.delete(checkpoint_id)

    async def keep_only(self, session_id: str, checkpoint_id: str | None) -> None:
        """Lists the ids of the whole workflow: the storage can ask for no less."""
        for found in await self._storage.list_checkpoint_ids(workflow_name=self._workflow):
            if found != checkpoint_id:
                await self.delete(session_id, found)

    async def close(self) -> None:
        """The storage is the app's."""


def _is_of(session_id: str, checkpoint_id: str) -> bool:
    return checkpoint_id.startswith(f"{session_id}.")
