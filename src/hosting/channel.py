"""The channel-facing contract: what a channel is, gives and gets (contract 2)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from .envelope import Caller, ChannelRequest, Destination, InboundEvent
from .results import (
    ContinuationToken,
    HostedRunResult,
    HostedStreamResult,
    LoggedUpdates,
    OnCommit,
    StateWrite,
    TurnEnd,
)

if TYPE_CHECKING:
    import asyncio

    from agent_framework import AgentResponseUpdate
    from starlette.middleware import Middleware
    from starlette.routing import BaseRoute

    from .clock import TimeSource
    from .commands import ChannelCommand
    from .ids import IdSource
    from .limits import HostLimits

LifecycleCallback = Callable[[], Awaitable[None]]
Transport = Literal["http", "polling", "gateway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContribution:
    """What a channel adds to the application (contract 2.2).

    Args:
        routes: Starlette routes relative to the channel's `path`; `Route("/")` means the exact path.
        root_routes: Absolute addresses: siblings under the channel's base, well-known documents (contract 1.4).
        middleware: Wraps only this channel's routes.
        commands: Commands the channel's own users can call.
        on_startup: Awaited in order before the first request is served.
        on_shutdown: Awaited in reverse order, once each.
        render_error: Renders any `HostingError` that leaves a route, and 404/405, in the protocol's shape.
    """

    routes: Sequence[BaseRoute] = ()
    root_routes: Sequence[BaseRoute] = ()
    middleware: Sequence[Middleware] = ()
    commands: Sequence[ChannelCommand] = ()
    on_startup: Sequence[LifecycleCallback] = ()
    on_shutdown: Sequence[LifecycleCallback] = ()
    render_error: ErrorRenderer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """An error in the shape of a channel's protocol: status, headers, body."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class ErrorRenderer(Protocol):
    """Turns a status, a stable code and a safe message into the protocol's own error body (contract 14.3)."""

    def __call__(self, *, status: int, code: str, message: str, param: str | None = None) -> ErrorAnswer: ...


@runtime_checkable
class Channel(Protocol):
    """An adapter for one wire protocol or platform (contract 2.1). No base class is needed.

    `contribute` is called once per host, does no I/O and starts no task.
    """

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...

    def contribute(self, context: ChannelContext, /) -> ChannelContribution: ...


@runtime_checkable
class ChannelIngress(Protocol):
    """A channel whose events are accepted first and run later (contract 4.3)."""

    async def process(self, event: InboundEvent, /) -> None:
        """Handles one accepted event: parses its payload and runs the turn, or returns if it is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReceipt:
    """What became of a send (contract 10.5).

    Args:
        status: `sent`; `unknown` when it may have arrived; `dead` for a permanent refusal.
        native_ids: The platform's ids of what was sent.
        detail: For the log and the turn record; never a secret.
    """

    status: Literal["sent", "unknown", "dead"]
    native_ids: Sequence[str] = ()
    detail: str = ""


class PushRetryable(Exception):
    """The send surely did not arrive: connection refused, 429, statuses the channel declares (contract 4.7).

    Args:
        retry_after: Seconds that the platform asked to wait.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class PushContext:
    """Goes with each payload to `push`.

    Args:
        delivery_id: Stable over retries; an idempotency key for platforms that honour one.
        attempt: 1 for the first try.
        is_echo: The payload is the input of another channel's turn.
        originating: The destination is where the turn came from.
        begun: Native ids of a message that the turn began and could not finish; edit it where the platform can
            (contract 4.5).
    """

    delivery_id: str
    attempt: int = 1
    is_echo: bool = False
    originating: bool = False
    begun: Sequence[str] = ()


@runtime_checkable
class ChannelPush(Protocol):
    """A channel that can deliver without an open request (contract 2.5, 10.5)."""

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        """Sends `payload` to the stored destination, conversation and thread included.

        Raises:
            PushRetryable: The send surely did not arrive. Any other exception counts as `unknown`.
        """
        ...


@runtime_checkable
class ChannelRuns(Protocol):
    """A channel that keeps records of its background runs (contract 12)."""

    async def conclude_run(
        self, request: ChannelRequest, updates: Sequence[AgentResponseUpdate], end: TurnEnd, /
    ) -> Sequence[StateWrite]:
        """The records of a run's end, for the transaction that ends it.

        It may be called on another host than the one that took the request, or a second time after a crash.

        Args:
            request: As the run hook left it.
            updates: All that the run said, as its readers see it.
            end: How it ended.
        """
        ...


class ChannelState(Protocol):
    """A channel's own records in the host's store, in one namespace (contract 2.4)."""

    async def get(self, key: str) -> Any | None: ...

    async def put(self, key: str, value: Any, *, ttl: float | None = None) -> None: ...

    async def delete(self, key: str) -> bool:
        """True if there was such a record."""
        ...

    async def scan(
        self, prefix: str, *, after: str | None = None, limit: int = 100, descending: bool = False
    ) -> Sequence[tuple[str, Any]]:
        """Records whose key starts with `prefix`, in key order, starting behind the key `after`."""
        ...

    async def write(self, writes: Sequence[StateWrite]) -> None:
        """All `writes` in one transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    """What a channel may know of the target (contract 2.4)."""

    kind: Literal["agent", "workflow"]
    name: str
    description: str = ""
    input_types: Sequence[type] = ()


class ChannelContext(Protocol):
    """A channel's only way to the host (contract 2.4)."""

    @property
    def target_info(self) -> TargetInfo: ...

    @property
    def commands(self) -> Sequence[ChannelCommand]:
        """The commands of this channel, the built-in ones included (contract 13.2)."""
        ...

    @property
    def limits(self) -> HostLimits: ...

    @property
    def time_source(self) -> TimeSource: ...

    @property
    def id_source(self) -> IdSource: ...

    @property
    def logger(self) -> logging.Logger: ...

    @property
    def public_url(self) -> str | None: ...

    @property
    def host_id(self) -> str:
        """This host among others on the store, for records of what is under way here."""
        ...

    async def host_lives(self, host_id: str) -> bool:
        """Whether that host is there: what is under way on one that is not will never end by itself (contract 4.5)."""
        ...

    @property
    def draining(self) -> asyncio.Event:
        """Set when draining began: pollers stop, streams may end early (contract 1.7)."""
        ...

    async def run(
        self, request: ChannelRequest, *, protocol_request: Any = None, on_commit: OnCommit | None = None
    ) -> HostedRunResult[Any]:
        """Runs one turn to its end.

        Args:
            request: The turn.
            protocol_request: The untouched native payload, for hooks.
            on_commit: Renders records of this channel that join the turn's transaction.

        Raises:
            HostingError: In every case that a client may be told about.
        """
        ...

    async def run_stream(
        self, request: ChannelRequest, *, protocol_request: Any = None, on_commit: OnCommit | None = None
    ) -> HostedStreamResult:
        """Starts one turn. What fails before its first update is raised here, so that a status can be sent."""
        ...

    async def run_in_background(
        self, request: ChannelRequest, *, protocol_request: Any = None, writes: Sequence[StateWrite] = ()
    ) -> ContinuationToken:
        """Stores one turn as a background run and returns at once; this host or a peer runs it (contract 12.1).

        Args:
            request: The turn; its `response_id`, where one is given, is the token.
            protocol_request: For the run hook, which is called now and not again.
            writes: Records of this channel that are stored with the run. Those of its end come from `conclude_run`.

        Raises:
            UnprocessableInput: The request holds what cannot be kept as JSON (422).
        """
        ...

    async def get_continuation(self, token: str, *, caller: Caller | None) -> ContinuationToken:
        """A background run of this channel as it stands now.

        Raises:
            UnknownReference: The token is unknown, expired, or another caller's (contract 6.12).
        """
        ...

    async def events(
        self, token: str, *, caller: Caller | None, after: int = 0
    ) -> AsyncGenerator[LoggedUpdates, None]:
        """What a background run says, from the entry behind `after`, until it has ended (contract 12.2).

        It ends early where the host stops: a run that `get_continuation` does not call ended can be read on elsewhere.
        Every reader gets the same entries, on every host. An empty one marks `limits.keepalive` of silence.

        Raises:
            UnknownReference: As `get_continuation`.
        """
        ...

    async def wait_for_run(self, token: str, *, caller: Caller | None) -> ContinuationToken:
        """A background run once it has ended; waiting shows nothing of it, so it may still be run again (contract 4.5).

        Raises:
            UnknownReference: As `get_continuation`.
            NotReady: This host stops before the run ends, which goes on elsewhere or later.
        """
        ...

    async def cancel_run(self, token: str, *, caller: Caller | None) -> ContinuationToken:
        """Cancels a background run, wherever it runs, and returns it once it has ended; one that is over stays so.

        Raises:
            UnknownReference: As `get_continuation`.
        """
        ...

    async def accept(self, event: InboundEvent) -> bool:
        """Claims an event and stores it, in one transaction; False if it was claimed before (contract 4.3).

        Raises:
            NotReady: The store cannot be reached, or the host drains: answer 503, so that the platform sends again.
            RequestError: It holds a lone surrogate, which cannot be kept: answer 400, or pass over it.
        """
        ...

    async def mark_seen(self, native_ids: Sequence[str] = ()) -> None:
        """Says that a part of the reply to the event at hand is about to be shown, before the turn ends (contract 4.5).

        Call it before the first send, and again with the platform's ids once they are known. After a crash such an
        event is not run again: its reply ends as `interrupted`, with `PushContext.begun` naming these ids. Outside
        the processing of an event it does nothing.

        Raises:
            StateConflict: Another host has taken the event over: show nothing.
        """
        ...

    async def cancel(self, response_id: str, *, host_id: str | None = None) -> bool:
        """Cancels the running turn that answers under `response_id`, and returns once it has ended (contract 6.8).

        Args:
            response_id: As the request of the turn said it.
            host_id: The `host_id` of the host that runs it, where the channel kept that; None asks this host only.

        Returns:
            False if no such turn runs there.
        """
        ...

    async def reset_session(self, isolation_key: str) -> None:
        """Moves the key to a new session; the old one stays readable (contract 6.5)."""
        ...

    async def forget_session(self, isolation_key: str, key: str) -> bool:
        """Deletes a caller-supplied session and what only it holds; True if there was one."""
        ...

    def state(self, namespace: str = "") -> ChannelState:
        """This channel's own records."""
        ...

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """A task that the host owns, drains and reports."""
        ...


Updates = AsyncIterator[Any]
