"""Where checkpoints are kept when it is not the host's store (contract 8.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent_framework import WorkflowCheckpoint


class CheckpointPlace(Protocol):
    """Keeps checkpoints by session; the store's commit says which of them counts (docs/decisions/0006).

    Nothing here is part of a transaction. A session's calls never overlap: its lock is held around them.
    """

    def describe(self) -> str:
        """The place in a few words for the start line; no path, no secret (contract 1.9)."""
        ...

    def own(self, session_id: str, checkpoint: WorkflowCheckpoint) -> WorkflowCheckpoint:
        """`checkpoint` under the id that it has in this session."""
        ...

    async def save(self, session_id: str, checkpoint: WorkflowCheckpoint) -> None:
        """Keeps `checkpoint`, whole or not at all; it outlives the process once this returns."""
        ...

    async def load(self, session_id: str, checkpoint_id: str) -> WorkflowCheckpoint | None:
        """That checkpoint of that session; None where the session has none of that id."""
        ...

    async def delete(self, session_id: str, checkpoint_id: str) -> None:
        """Removes that checkpoint, if it is there."""
        ...

    async def keep_only(self, session_id: str, checkpoint_id: str | None) -> None:
        """Removes all of the session but that one; None removes all."""
        ...

    async def close(self) -> None:
        """Lets go of threads and files; the next call may open them again."""
        ...
