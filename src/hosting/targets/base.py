"""The one face that the pipeline has of whatever it serves (contract 0: the target)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..channel import TargetInfo
from ..envelope import EMPTY_MAP
from ..results import TurnStatus

if TYPE_CHECKING:
    from agent_framework import AgentResponseUpdate, AgentSession, CheckpointStorage, Content

CLIENT_STATE = "client_state"
"""Where a session's state holds what its client keeps there (contract 3.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCall:
    """One run of the target, as the pipeline asks for it.

    Args:
        input: What the run hook left: `AgentRunInputs`, or anything for workflows.
        session: The live session, or None for a turn without one.
        options: Allow-listed run options; passed only to a target whose `run` takes them.
        client_tools: Declaration-only tools that the caller runs itself (contract 3.1).
        turn_id: Stable over attempts (contract 4.4).
        attempt: 1 for the first try.
        checkpoints: Where a workflow keeps its checkpoints during the run; None without a session.
        response_id: The id that the turn answers under.
        previous_response_id: What the turn continues, by the protocol's own id.
        isolation: Whose session it is.
        hosting: Goes to the last user message as `additional_properties["hosting"]` (contract 3.5).
    """

    input: Any
    turn_id: str
    session: AgentSession | None = None
    options: Mapping[str, Any] = EMPTY_MAP
    client_tools: Sequence[Any] = ()
    attempt: int = 1
    checkpoints: CheckpointStorage | None = None
    response_id: str = ""
    previous_response_id: str | None = None
    isolation: str | None = None
    hosting: Mapping[str, Any] = field(default=EMPTY_MAP)


@dataclass(frozen=True, slots=True)
class TargetResult:
    """How a run ended: the target's own result, the turn's status, what it still asks for (contract 3.4)."""

    result: Any
    status: TurnStatus = "completed"
    requests: Sequence[Content] = ()


class TargetStream(Protocol):
    """One streamed run. Exactly one task creates, pulls and ends it (contract 7.0)."""

    def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]: ...

    async def final(self) -> TargetResult:
        """The end of the run; only after the updates were read to their end."""
        ...

    async def abandon(self, reason: BaseException) -> None:
        """Closes the run at once so that it neither finishes nor saves (contract 7.0: `close(exc)`)."""
        ...


class Target(Protocol):
    """An agent or a workflow behind one `run`/`stream` face each."""

    @property
    def info(self) -> TargetInfo: ...

    @property
    def finds_turn_by_session(self) -> bool:
        """Whether a turn without a session has to get a throwaway one (contract 3.6)."""
        ...

    def check_input(self, value: Any) -> None:
        """Finds a wrong input before the run.

        Raises:
            UnprocessableInput: Names the type that was found and the types expected (contract 8.2).
        """
        ...

    def binding(self, call: TargetCall) -> AbstractAsyncContextManager[None] | None:
        """What has to be entered around the whole run, stream included (contract 3.6); often None."""
        ...

    async def run(self, call: TargetCall) -> TargetResult: ...

    def stream(self, call: TargetCall) -> TargetStream: ...
