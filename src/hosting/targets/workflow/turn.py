"""One turn on one instance: restore, run, see what is still open (contract 8.3, 8.4)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agent_framework import (
    AgentResponseUpdate,
    AgentSession,
    CheckpointStorage,
    ResponseStream,
    Workflow,
    WorkflowCheckpoint,
    WorkflowEvent,
)
from agent_framework.exceptions import WorkflowCheckpointException

from ..base import TargetResult
from ..checkpoints import CheckpointNotSaved, StagedCheckpointStorage
from .client_state import hand_out, seed_of, take_back
from .outputs import OutputFold
from .requests import request_content


@dataclass(kw_only=True)
class WorkflowTurn:
    """What a turn brings to its instance, and what it has seen so far.

    Args:
        workflow: An instance of this turn's own.
        storage: Where the run saves checkpoints; None without a session.
        before: Where the session's last turn ended.
        message: Goes to the first executor, unless there are answers.
        answers: To open requests of `before`, by request id.
        tools: Tools that the caller runs itself.
        outputs: Gathers the answer.
        session: Holds what the client keeps (contract 3.6).
    """

    workflow: Workflow
    storage: CheckpointStorage | None
    before: WorkflowCheckpoint | None
    message: Any = None
    answers: dict[str, Any] | None = None
    tools: list[Any] | None = None
    outputs: OutputFold
    session: AgentSession | None = None
    _seeded: bool = False
    _asked: dict[str, WorkflowEvent[Any]] = field(default_factory=dict[str, WorkflowEvent[Any]])
    _superstep: int | None = None

    async def restore(self) -> None:
        """Brings the instance where the last turn ended; core takes no message in the same run.

        What that run saves is dropped: it says nothing new. Answers may come with it, unless the client's state has to be
        there before them.
        """
        seed = seed_of(self.workflow, self.before, self.session)
        start = seed or (self.before if self.answers is None else None)
        if start is not None:
            storage = StagedCheckpointStorage(start)
            await self.workflow.run(checkpoint_id=start.checkpoint_id, checkpoint_storage=storage)
        if seed is not None and self.session is not None:
            hand_out(self.workflow, self.session)
            self._seeded = True

    @property
    def arguments(self) -> dict[str, Any]:
        """What core's `run` gets."""
        common: dict[str, Any] = {"checkpoint_storage": self.storage, "tools": self.tools}
        if self.answers is None or self.before is None:
            return {"message": self.message, **common}
        if self._seeded:
            return {"responses": self.answers, **common}
        return {"responses": self.answers, "checkpoint_id": self.before.checkpoint_id, **common}

    def take(self, event: WorkflowEvent[Any]) -> Iterator[AgentResponseUpdate]:
        """Notes an event of the run, and gives what the caller may see of it."""
        if event.type == "request_info":
            self._asked[event.request_id] = event
        elif event.type == "superstep_completed":
            self._superstep = event.iteration
        yield from self.outputs.take(event)

    async def end(self) -> list[AgentResponseUpdate]:
        """The last updates, once the run is over.

        Raises:
            CheckpointNotSaved: The state after the last step is not in the storage.
        """
        saved = await self._saved()
        if self.session is not None:
            take_back(self.workflow, saved, self.session)
        new = [event for id, event in self._asked.items() if id not in self._open_before]
        return list(self.outputs.close([request_content(event) for event in new]))

    def result(self) -> TargetResult:
        """How the run ended; after `end`."""
        requests = [request_content(event) for event in self._open().values()]
        return TargetResult(
            self.outputs.result(), "input_required" if requests else "completed", tuple(requests)
        )

    def _open(self) -> dict[str, WorkflowEvent[Any]]:
        unanswered = {id: event for id, event in self._open_before.items() if id not in (self.answers or {})}
        return {**unanswered, **self._asked}

    @property
    def _open_before(self) -> dict[str, WorkflowEvent[Any]]:
        return self.before.pending_request_info_events if self.before else {}

    async def _saved(self) -> WorkflowCheckpoint | None:
        """The checkpoint after the last step; core logs a failed save, by the storage or by an executor, and goes on."""
        if self.storage is None or self._superstep is None:
            return None
        try:
            saved = await self.storage.load(self.workflow.get_last_checkpoint_id() or "")
        except WorkflowCheckpointException:
            saved = None
        if saved is None or saved.iteration_count != self._superstep:
            raise CheckpointNotSaved(
                f"workflow {self.workflow.name!r} could not save its state after step {self._superstep}; the log of "
                "agent_framework says why ('Failed to create checkpoint')"
            )
        return saved


class WorkflowStream:
    """One streamed run of a workflow (contract 7.0)."""

    def __init__(self, prepare: Callable[[], Awaitable[WorkflowTurn]]) -> None:
        self._prepare = prepare
        self._turn: WorkflowTurn | None = None
        self._events: ResponseStream[WorkflowEvent[Any], Any] | None = None
        self._updates = self._run()

    def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
        return self._updates

    async def final(self) -> TargetResult:
        if self._turn is None:
            raise RuntimeError("the stream was not read to its end")
        return self._turn.result()

    async def abandon(self, reason: BaseException) -> None:
        if self._events is not None:
            await self._events.close(reason)
        await self._updates.aclose()

    async def _run(self) -> AsyncGenerator[AgentResponseUpdate, None]:
        turn = await self._prepare()
        await turn.restore()
        self._events = turn.workflow.run(stream=True, **turn.arguments)
        async for event in self._events:
            for update in turn.take(event):
                yield update
        for update in await turn.end():
            yield update
        self._turn = turn
