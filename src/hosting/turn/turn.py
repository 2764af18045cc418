"""What one turn knows of itself while it goes through the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..channel import Channel
from ..envelope import ChannelRequest
from ..hooks import ChannelResponseHook, ChannelRunHook, ChannelStreamUpdateHook
from ..results import OnCommit
from ..sessions.names import ConversationScope, SessionName
from .slots import RunSlot

if TYPE_CHECKING:
    from agent_framework import AgentResponseUpdate, AgentSession
    from opentelemetry.trace import Span

    from ..commands import ChannelCommand
    from ..delivery.inbox import EventInWork
    from ..results import HostedRunResult, StateWrite
    from ..runs.work import RunInWork
    from ..sessions.history import HistoryTurn
    from ..sessions.live import LiveSession
    from ..state.tables.turns import StoredTurn
    from ..targets.checkpoints import StagedCheckpointStorage

CancelReason = Literal["cancelled", "interrupted", "lease_lost", "shutting_down", "timed_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEntry:
    """A channel with the optional attributes that the host reads from it (contract 2.3), read once."""

    channel: Channel
    name: str
    run_hook: ChannelRunHook | None = None
    response_hook: ChannelResponseHook | None = None
    stream_update_hook: ChannelStreamUpdateHook | None = None
    stream_with_response_hook: bool = False
    conversation_scope: ConversationScope | None = None
    apology: str = "Sorry, something went wrong. Please try again. ({id})"
    commands: Mapping[str, ChannelCommand] = field(default_factory=dict[str, "ChannelCommand"])


class UpdateSink(Protocol):
    """Where a streamed turn puts its updates; there is none for a one-shot turn."""

    async def put(self, raw: AgentResponseUpdate, update: AgentResponseUpdate | None) -> None:
        """Takes an update raw and hooked; waits while the reader is behind by `limits.stream_buffer`."""
        ...

    async def drained(self) -> None:
        """Returns once the reader has taken everything and asked for more."""
        ...


@dataclass(slots=True, eq=False)
class Turn:
    """One turn under way. Each step of the pipeline reads what earlier ones left and adds its own.

    Args:
        id: Stable over attempts; the target sees it (contract 4.4).
        entry: The channel it came through.
        request: The envelope; the run hook may replace it.
        response_id: The id that the turn answers under; made before the run (contract 3.6).
        protocol_request: The untouched native payload, for hooks.
        on_commit: Renders the channel's own records for the commit.
        sink: Where updates go, for a streamed turn.
        event: The accepted platform event that the turn answers, if it is one.
        run: The background run that the turn is an attempt at, if it is one.
        writes: What the channel stores with a background run that this turn asks for; None for any other turn.
        started: Seconds, monotonic.
    """

    id: str
    entry: ChannelEntry
    request: ChannelRequest
    response_id: str
    started: float
    protocol_request: Any = None
    on_commit: OnCommit | None = None
    sink: UpdateSink | None = None
    event: EventInWork | None = None
    run: RunInWork | None = None
    store_end: Callable[[], Awaitable[None]] | None = None
    writes: Sequence[StateWrite] | None = None
    attempt: int = 1

    person: str | None = None
    name: SessionName | None = None
    session: LiveSession | None = None
    given: AgentSession | None = None
    history: HistoryTurn | None = None
    checkpoints: StagedCheckpointStorage | None = None
    locked: bool = False
    slot: RunSlot | None = None
    claimed: bool = False
    repeats: StoredTurn | None = None
    running: bool = False
    result: HostedRunResult[Any] | None = None
    committed: bool = False
    answers: frozenset[str] = frozenset()
    replies: list[str] = field(default_factory=list[str])
    cancel_reason: CancelReason | None = None
    task: asyncio.Task[Any] | None = None
    cancels_before: int = 0
    ending: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    span: Span | None = None

    def begin(self) -> None:
        """The current task conducts the turn from here on."""
        self.task = asyncio.current_task()
        self.cancels_before = self.task.cancelling() if self.task else 0
        if self.event is not None:
            self.event.answering += 1

    def end(self) -> None:
        """The task goes on without the turn, and without the host's own cancellation."""
        if self.task is not None and self.cancel_reason is not None:
            self.task.uncancel()
        if self.event is not None:
            self.event.answering -= 1
        self.ended.set()

    def cancel(self, reason: CancelReason) -> None:
        """Ends the turn from outside; the first reason stays, and a turn that ends anyway ends as it does."""
        running = self.task is not None and not self.task.done() and not self.ended.is_set()
        if self.task is not None and running and not self.ending and self.cancel_reason is None:
            self.cancel_reason = reason
            self.task.cancel()

    @property
    def cancelled_by_caller(self) -> bool:
        """Whether somebody else than the host cancelled the task."""
        own = self.cancel_reason is not None
        return self.task is not None and self.task.cancelling() - self.cancels_before > own

    @property
    def cancelled(self) -> bool:
        """Whether anybody cancelled the turn; a target that raises `CancelledError` by itself has failed."""
        return self.cancel_reason is not None or self.cancelled_by_caller

    @property
    def lock_id(self) -> str:
        """Names this attempt as the holder of its session (contract 6.7)."""
        return f"{self.id}/{self.attempt}"

    def interrupt(self) -> None:
        """A newer turn of the session wants it (contract 6.7, `interrupt`)."""
        self.cancel("interrupted")

    @property
    def holds_stream(self) -> bool:
        """Whether a response hook makes the host hold the stream back to its end (contract 5.3)."""
        return self.entry.response_hook is not None and not self.entry.stream_with_response_hook
