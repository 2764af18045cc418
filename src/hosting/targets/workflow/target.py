"""Serves a workflow (contract 8)."""

from __future__ import annotations

import functools
import logging
from typing import Any, cast

from agent_framework import WorkflowCheckpoint

from ...channel import TargetInfo
from ...ids import IdSource
from ..base import TargetCall, TargetResult
from ..checkpoints import StagedCheckpointStorage, WorkflowChanged, quiet_checkpoint
from .inputs import adapted_input, labelled, messages_of
from .instances import Instances, WorkflowSource
from .outputs import OutputFold
from .requests import read_answers, trailing_answers
from .turn import WorkflowStream, WorkflowTurn

_log = logging.getLogger("hosting.target")


class WorkflowTarget:
    """A workflow behind the `Target` face.

    Each turn builds an instance, brings it where the session's last turn ended, and drops it. So nothing leaks from
    session to session, and a turn that fails leaves nothing behind (contract 8.1).

    Args:
        source: A function that builds the workflow, or an instance that never ran and can be cloned.
        ids: Makes message and session ids.

    Raises:
        ChannelConfigurationError: The source cannot give independent instances, or the workflow has no stable name.
    """

    def __init__(self, source: WorkflowSource, *, ids: IdSource) -> None:
        self._instances = Instances(source, ids)
        self._ids = ids
        original = self._instances.original
        self.info = TargetInfo(
            kind="workflow",
            name=original.name,
            description=original.description or "",
            input_types=tuple(cast("list[type]", original.input_types)),
        )

    @property
    def finds_turn_by_session(self) -> bool:
        return False

    def check_input(self, value: Any) -> None:
        """Finds an input that the workflow's first executor does not take; answers to requests pass.

        Raises:
            UnprocessableInput: Names the types expected.
        """
        if not trailing_answers(messages_of(value) or []):
            adapted_input(self._instances.original, value)

    def binding(self, call: TargetCall) -> None:
        """A workflow has no context providers of its own."""
        return

    async def run(self, call: TargetCall) -> TargetResult:
        """Runs one turn to its end.

        Raises:
            UnprocessableInput: The input, or an answer in it, is not of the type expected.
            AlreadyAnswered: An answer is to no open request.
            WorkflowChanged: The session was saved by another version of the workflow.
            CheckpointNotSaved: The run's state could not be saved.
        """
        turn = await self._prepare(call)
        await turn.restore()
        for event in await turn.workflow.run(**turn.arguments):
            for _ in turn.take(event):
                pass
        await turn.end()
        return turn.result()

    def stream(self, call: TargetCall) -> WorkflowStream:
        return WorkflowStream(functools.partial(self._prepare, call))

    async def _prepare(self, call: TargetCall) -> WorkflowTurn:
        if call.options:
            _log.debug(
                "a workflow takes no options; dropped %s for turn %s", sorted(call.options), call.turn_id
            )
        before = await self._before(call)
        answers = read_answers(messages_of(call.input), before.pending_request_info_events if before else {})
        message = None
        if answers is None:
            message = labelled(
                adapted_input(self._instances.original, call.input), hosting=call.hosting, ids=self._ids
            )
        # A turn without a session has a throwaway one if its client keeps state, which is read off the last checkpoint.
        storage = call.checkpoints or (StagedCheckpointStorage() if call.session is not None else None)
        return WorkflowTurn(
            workflow=await self._instances.fresh(),
            storage=storage,
            before=before,
            message=message,
            answers=answers,
            tools=list(call.client_tools) or None,
            outputs=OutputFold(self._ids),
            session=call.session,
        )

    async def _before(self, call: TargetCall) -> WorkflowCheckpoint | None:
        original = self._instances.original
        if call.checkpoints is None:
            return None
        before = await quiet_checkpoint(call.checkpoints, original.name)
        if before is not None and (before.workflow_name, before.graph_signature_hash) != (
            original.name,
            original.graph_signature_hash,
        ):
            raise WorkflowChanged
        return before
