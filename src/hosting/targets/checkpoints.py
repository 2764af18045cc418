"""A workflow's checkpoints during one turn, and their text in the host's store (contract 8.4, 8.5)."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import TYPE_CHECKING

from ..errors import HostingError
from ..serialization import from_json, to_json

if TYPE_CHECKING:
    from agent_framework import CheckpointStorage, WorkflowCheckpoint


class WorkflowChanged(HostingError):
    """The session was saved by another version of the workflow and cannot go on in this one (409, contract 8.4)."""

    status = 409
    code = "workflow_changed"

    def __init__(self) -> None:
        super().__init__(
            "The workflow has changed since this session was saved, so the session cannot go on; start a new one."
        )


class CheckpointNotSaved(Exception):
    """The workflow ran, but its state could not be saved, which core only logs (contract 8.4)."""


class CheckpointMissing(Exception):
    """The store names a checkpoint that is not in its place, so the session cannot go on (contract 8.5).

    Args:
        checkpoint_id: The one that is named.
        session_id: Whose it is.
    """

    def __init__(self, checkpoint_id: str, session_id: str) -> None:
        super().__init__(
            f"checkpoint {checkpoint_id} of session {session_id} is kept outside the host's store, and is not there; "
            "give the host the checkpoint_location= that it had when the checkpoint was saved, or start a new session"
        )


class StagedCheckpointStorage:
    """Core's `CheckpointStorage` for one turn of one session, in memory (contract 4.4, 8.4).

    It holds the checkpoint that the session had before and the newest one of the turn, which is all that is ever
    asked for: a run restores once, at its start. The host commits `last` with the rest of the turn. There is one
    storage for each session, so names of workflows select nothing.

    Args:
        before: What the session's last turn left, or None.
    """

    def __init__(self, before: WorkflowCheckpoint | None = None) -> None:
        self._before = before
        self._newest: WorkflowCheckpoint | None = None

    @property
    def last(self) -> WorkflowCheckpoint | None:
        """The checkpoint that the session has once the turn is committed."""
        return self._newest or self._before

    @property
    def changed(self) -> bool:
        """Whether the turn saved one."""
        return self._newest is not None

    async def save(self, checkpoint: WorkflowCheckpoint) -> str:
        self._newest = _isolated(checkpoint)
        return checkpoint.checkpoint_id

    async def load(self, checkpoint_id: str) -> WorkflowCheckpoint:
        from agent_framework.exceptions import WorkflowCheckpointException

        for held in self._held():
            if held.checkpoint_id == checkpoint_id:
                return _isolated(held)
        raise WorkflowCheckpointException(f"No checkpoint {checkpoint_id} in this turn")

    async def list_checkpoints(self, *, workflow_name: str) -> list[WorkflowCheckpoint]:
        return [_isolated(held) for held in self._held()]

    async def delete(self, checkpoint_id: str) -> bool:
        """Refuses quietly: what stays is decided at the turn's end."""
        return False

    async def get_latest(self, *, workflow_name: str) -> WorkflowCheckpoint | None:
        return _isolated(self.last) if self.last else None

    async def list_checkpoint_ids(self, *, workflow_name: str) -> list[str]:
        return [held.checkpoint_id for held in self._held()]

    def _held(self) -> list[WorkflowCheckpoint]:
        return [held for held in (self._before, self._newest) if held is not None]


def _isolated(checkpoint: WorkflowCheckpoint) -> WorkflowCheckpoint:
    """A copy that a run cannot reach into; core itself copies `state` on its way in and out."""
    return dataclasses.replace(
        checkpoint,
        messages=copy.deepcopy(checkpoint.messages),
        pending_request_info_events=copy.deepcopy(checkpoint.pending_request_info_events),
    )


def encode_checkpoint(checkpoint: WorkflowCheckpoint) -> str:
    """`checkpoint` as ASCII JSON text, without pickle (contract 8.5).

    Raises:
        UnregisteredType: It holds a value of a type that was not registered with `hosting.register_type`.
    """
    return json.dumps(to_json(checkpoint), separators=(",", ":"))  # msgspec cannot write lone surrogates


def decode_checkpoint(text: str) -> WorkflowCheckpoint:
    """The checkpoint that `encode_checkpoint` wrote.

    Raises:
        UnregisteredType: It holds a value of a type that is not registered any more.
        WorkflowChanged: A stored value does not fit its type any more.
    """
    try:
        return from_json(json.loads(text))
    except ValueError as exc:
        raise WorkflowChanged from exc


async def quiet_checkpoint(storage: CheckpointStorage, workflow_name: str) -> WorkflowCheckpoint | None:
    """The newest checkpoint at which no message was under way: where the last whole turn ended.

    Later ones belong to a turn that failed or was cancelled, whose input may not reach the next (contract 7.5).
    """
    latest = await storage.get_latest(workflow_name=workflow_name)
    if latest is None or not latest.messages:
        return latest
    quiet = [
        held for held in await storage.list_checkpoints(workflow_name=workflow_name) if not held.messages
    ]
    return max(quiet, key=lambda held: held.timestamp, default=None)
