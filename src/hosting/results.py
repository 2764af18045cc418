"""What a turn gives back to its channel (contract 3.4, 7.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message

if TYPE_CHECKING:
    from .envelope import ChannelSession
    from .errors import HostingError

T = TypeVar("T", covariant=True)

TurnStatus = Literal["completed", "incomplete", "failed", "cancelled", "input_required"]
RunStatus = Literal["queued", "running", "completed", "incomplete", "failed", "cancelled", "input_required"]


@dataclass(frozen=True, slots=True)
class HostedRunResult(Generic[T]):
    """The end of one turn (contract 3.4).

    Generic for type checkers only: never subscript it at run time (3.11 refuses it on frozen slotted classes).

    Args:
        result: The target's own full-fidelity result: an `AgentResponse`, or a `WorkflowResult`.
        session: The session the turn ran in, or None.
        response_id: The id the turn answers under.
        turn_id: The turn's id in the host's store.
        status: How the turn ended.
        requests: Open approvals and information requests that the caller can answer.
        client_state: `session.state["client_state"]` after the run.
        deliveries: Ids of outbox rows that carry the reply elsewhere.
    """

    result: T
    session: ChannelSession | None = None
    response_id: str = ""
    turn_id: str = ""
    status: TurnStatus = "completed"
    requests: Sequence[Content] = ()
    client_state: Any = None
    deliveries: Sequence[str] = ()

    def replace(self, **changes: Any) -> HostedRunResult[T]:
        """A copy with `changes` applied."""
        return dataclasses.replace(self, **changes)

    @property
    def response(self) -> AgentResponse[Any]:
        """What channels render: an `AgentResponse`, whatever the target gave."""
        return as_response(self.result)

    @property
    def text(self) -> str:
        """The text of the result, "" where it has none."""
        text = getattr(self.result, "text", None)
        return text if isinstance(text, str) else "" if self.result is None else str(self.result)


def as_response(result: Any) -> AgentResponse[Any]:
    """A target's own result as an `AgentResponse`; a workflow's result brings its rendering along."""
    for candidate in (result, getattr(result, "response", None)):
        if isinstance(candidate, AgentResponse):
            return cast("AgentResponse[Any]", candidate)
    return AgentResponse(messages=[] if result is None else [Message("assistant", [str(result)])])


class HostedStreamResult(Protocol):
    """A turn whose updates can be read while it runs (contract 7.1).

    Iterating ends once the turn is committed; a failure after the first update is raised from the iteration as a
    `HostingError`, so that the channel can tell it inside its protocol. Close it, or iterate it to its end.
    """

    @property
    def response_id(self) -> str:
        """The id the turn answers under; known before the first update."""
        ...

    @property
    def turn_id(self) -> str: ...

    @property
    def session(self) -> ChannelSession | None: ...

    @property
    def raw_events(self) -> AsyncIterator[Any]:
        """The target's own events, before the stream hook; instead of the updates, not beside them."""
        ...

    def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]: ...

    def batches(self) -> AsyncIterator[Sequence[AgentResponseUpdate]]:
        """All updates that wait, at once: one frame for many; [] marks `limits.keepalive` of silence."""
        ...

    async def result(self) -> HostedRunResult[Any]:
        """The committed end of the turn.

        Raises:
            HostingError: The turn failed.
        """
        ...

    async def aclose(self) -> None:
        """Abandon the turn; its target stream is closed before this returns (contract 7.3)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuationToken:
    """A background run as its caller sees it.

    Args:
        token: Names the run: unguessable, and good for its caller only. The store keeps a hash of it.
        status: Where the run stands; an end never changes.
        isolation_key: Whose session it runs in.
        created_at: When it was asked for, in seconds since the epoch.
        completed_at: When it ended.
        result: What it came to, for `completed`, `incomplete` and `input_required`.
        error: What may be told of it, for `failed`.
        response_id: The id it answers under.
        deliveries: Ids of replies that went elsewhere.
    """

    token: str
    status: RunStatus
    isolation_key: str | None = None
    created_at: float = 0.0
    completed_at: float | None = None
    result: HostedRunResult[Any] | None = None
    error: HostingError | None = None
    response_id: str = ""
    deliveries: Sequence[str] = ()

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.completed_at is not None


@dataclass(frozen=True, slots=True)
class LoggedUpdates:
    """One entry of a log.

    Args:
        seq: Its number, from 1 without gaps.
        updates: What was said; empty for a reader's keep-alive, whose `seq` is that of the entry before.
    """

    seq: int
    updates: Sequence[AgentResponseUpdate]


@dataclass(frozen=True, slots=True)
class StateWrite:
    """One change of a channel's records, for the turn's own transaction (contract 4.4).

    Args:
        key: Key inside the channel's namespace; up to 1 KiB.
        value: JSON value, or None to delete the record.
        ttl: Seconds to keep it; None keeps it for good.
    """

    key: str
    value: Any
    ttl: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """How a turn ended, as its channel's `on_commit` sees it just before the transaction.

    Args:
        status: How it ended.
        result: The hooked result; None for failed and cancelled turns.
        error: What may be told to the client, for failed turns.
    """

    status: TurnStatus
    result: HostedRunResult[Any] | None = None
    error: Exception | None = None


class OnCommit(Protocol):
    """Renders the records that the channel keeps of a turn; pure, called once, before the turn's transaction."""

    def __call__(self, end: TurnEnd, /) -> Sequence[StateWrite]: ...


JsonObject = Mapping[str, Any]
