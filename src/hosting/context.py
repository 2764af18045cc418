"""The host as one channel sees it (contract 2.4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

from .channel import ChannelState, TargetInfo
from .clock import TimeSource, epoch_ms
from .commands import ChannelCommand
from .delivery.inbox import EventInWork, Inbox, event_in_work
from .envelope import Caller, ChannelRequest, InboundEvent
from .errors import NotReady, RequestError, TurnInProgress, UnknownReference
from .ids import IdSource
from .limits import HostLimits
from .results import (
    ContinuationToken,
    HostedRunResult,
    HostedStreamResult,
    LoggedUpdates,
    OnCommit,
    StateWrite,
)
from .runs.token import continuation_of, token_hash
from .sessions.names import SessionName
from .state.access import RecordState
from .state.tables import instances
from .state.tables.events import TakenEvent
from .state.tables.runs import StoredRun
from .tasks import OwnedTasks
from .turn.background import cancel_run, process_run
from .turn.cancels import cancel_elsewhere
from .turn.pipeline import Outcome, conduct
from .turn.services import TurnServices
from .turn.stream import HostedStream, UpdateBuffer
from .turn.turn import ChannelEntry, Turn


class HostContext:
    """What one channel gets of its host; see `hosting.ChannelContext`.

    Args:
        entry: The channel, with the options that the host reads from it.
        services: The parts that turns share.
        inbox: Where events are claimed.
        tasks: Tasks of channels that the host owns.
        draining: Set when draining began.
        admit: Raises `NotReady` while no new turn may come in.
        public_url: The app's own address, where it is known.
    """

    def __init__(
        self,
        entry: Callable[[], ChannelEntry],
        *,
        name: str,
        services: TurnServices,
        inbox: Inbox,
        tasks: OwnedTasks,
        draining: asyncio.Event,
        admit: Callable[[], None],
        public_url: str | None,
    ) -> None:
        self._entry = entry
        self._name = name
        self._services = services
        self._inbox = inbox
        self._tasks = tasks
        self._draining = draining
        self._admit = admit
        self._public_url = public_url

    @property
    def target_info(self) -> TargetInfo:
        return self._services.target.info

    @property
    def commands(self) -> Sequence[ChannelCommand]:
        return tuple(self._entry().commands.values())

    @property
    def limits(self) -> HostLimits:
        return self._services.limits

    @property
    def time_source(self) -> TimeSource:
        return self._services.clock

    @property
    def id_source(self) -> IdSource:
        return self._services.ids

    @property
    def logger(self) -> logging.Logger:
        return self._services.logger

    @property
    def public_url(self) -> str | None:
        return self._public_url

    @property
    def host_id(self) -> str:
        return self._services.instance

    async def host_lives(self, host_id: str) -> bool:
        if host_id == self._services.instance:
            return True
        now = epoch_ms(self._services.clock)
        return bool((await self._services.store.execute(instances.load_alive(host_id, now_ms=now)))[0])

    @property
    def draining(self) -> asyncio.Event:
        return self._draining

    async def run(
        self, request: ChannelRequest, *, protocol_request: Any = None, on_commit: OnCommit | None = None
    ) -> HostedRunResult[Any]:
        return await self._run(self._turn(request, protocol_request, on_commit))

    async def run_stream(
        self, request: ChannelRequest, *, protocol_request: Any = None, on_commit: OnCommit | None = None
    ) -> HostedStreamResult:
        turn = self._turn(request, protocol_request, on_commit)
        buffer = UpdateBuffer(self.limits.stream_buffer)
        turn.sink = buffer
        owner = asyncio.create_task(self._own(turn, buffer), name=f"hosting.turn.{turn.id}")
        owner.add_done_callback(lambda _: buffer.end())  # one that never began cannot do it itself
        owner.add_done_callback(_retrieve)
        turn.task = owner
        stream = HostedStream(turn, buffer, owner, self.limits.keepalive)
        try:
            await buffer.begun(patience=self.limits.keepalive if turn.holds_stream else None)
        except BaseException:
            await stream.aclose()
            raise
        if buffer.ended and buffer.is_empty:
            await asyncio.wait([owner])
            owner.result()
        return stream

    async def run_in_background(
        self, request: ChannelRequest, *, protocol_request: Any = None, writes: Sequence[StateWrite] = ()
    ) -> ContinuationToken:
        turn = self._turn(request.replace(background=True), protocol_request, None)
        turn.writes = writes
        outcome = await self._conduct(turn)
        if not isinstance(
            outcome, ContinuationToken
        ):  # a command answered it, or an earlier request of another kind
            raise RequestError("This request cannot run in the background.", param="background")
        return outcome

    async def get_continuation(self, token: str, *, caller: Caller | None) -> ContinuationToken:
        return continuation_of(await self._run_of(token, caller), token)

    async def events(
        self, token: str, *, caller: Caller | None, after: int = 0
    ) -> AsyncGenerator[LoggedUpdates, None]:
        run = await self._run_of(token, caller)
        return self._services.logs.read(run.run_id, after=after)

    async def wait_for_run(self, token: str, *, caller: Caller | None) -> ContinuationToken:
        run = await self._run_of(token, caller)
        if not await self._services.logs.ended_here(run.run_id):
            raise NotReady("The server is shutting down; the answer will be there later.", retry_after=1.0)
        return await self.get_continuation(token, caller=caller)

    async def cancel_run(self, token: str, *, caller: Caller | None) -> ContinuationToken:
        run = await self._run_of(token, caller)
        try:
            await cancel_run(run, self._entry(), self._services)
            await self._services.logs.end_of(run.run_id)
        finally:
            self._services.running.let_come(run.response_id)
        return await self.get_continuation(token, caller=caller)

    async def process_run(self, taken: TakenEvent) -> None:
        """One attempt at a background run that this host took."""
        await process_run(taken, self._entry(), self._services, self._conduct)

    async def _run_of(self, token: str, caller: Caller | None) -> StoredRun:
        """The run of a token; unknown, foreign and expired ones look alike (contract 6.12)."""
        run = await self._services.logs.load(token_hash(token))
        if run is None or run.channel != self._name or run.caller != (caller.id if caller else ""):
            raise UnknownReference("There is no such run.")
        return run

    async def accept(self, event: InboundEvent) -> bool:
        self._admit()
        return await self._inbox.accept(self._name, event)

    async def mark_seen(self, native_ids: Sequence[str] = ()) -> None:
        event = event_in_work.get()
        if event is not None and not event.ended:
            await self._services.store.execute(event.mark_seen(native_ids))

    async def cancel(self, response_id: str, *, host_id: str | None = None) -> bool:
        if host_id is not None and host_id != self.host_id:
            return await cancel_elsewhere(response_id, host_id, self._services)
        turn = self._services.running.find(response_id)
        if turn is None or turn.entry.name != self._name:
            return False
        turn.cancel("cancelled")
        await turn.ended.wait()
        return True

    async def reset_session(self, isolation_key: str) -> None:
        await self._services.sessions.reset(isolation_key)

    async def forget_session(self, isolation_key: str, key: str) -> bool:
        return await self._services.sessions.forget(SessionName(isolation_key, key))

    def state(self, namespace: str = "") -> ChannelState:
        full = f"{self._name}/{namespace}" if namespace else self._name
        return RecordState(self._services.store, full, self._services.clock)

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        return self._tasks.spawn(work, name=f"{self._name}.{name}")

    def _turn(self, request: ChannelRequest, protocol_request: Any, on_commit: OnCommit | None) -> Turn:
        entry = self._entry()
        if request.channel != entry.name:
            raise ValueError(
                f"the request names channel {request.channel!r}, expected {entry.name!r}: use self.name"
            )
        if event_in_work.get() is None:
            self._admit()
        ids = self._services.ids
        event = _event()
        return Turn(
            id=event.turn_id if event else ids.new("turn"),
            entry=entry,
            request=request,
            response_id=request.response_id or ids.new("resp"),
            started=self._services.clock.monotonic(),
            protocol_request=protocol_request,
            on_commit=on_commit,
            event=event,
            attempt=event.taken.attempts if event else 1,
        )

    async def _own(self, turn: Turn, buffer: UpdateBuffer) -> HostedRunResult[Any]:
        try:
            return await self._run(turn)
        finally:
            buffer.end()

    async def _run(self, turn: Turn) -> HostedRunResult[Any]:
        outcome = await self._conduct(turn)
        if isinstance(outcome, ContinuationToken):
            raise TurnInProgress("The first request with this Idempotency-Key runs in the background.")
        return outcome

    async def _conduct(self, turn: Turn) -> Outcome:
        async def nested(request: ChannelRequest) -> HostedRunResult[Any]:
            return await self.run(request, protocol_request=turn.protocol_request)

        return await conduct(turn, self._services, state=self.state(), run=nested)


def _event() -> EventInWork | None:
    """The event that the new turn answers; its first turn ends it."""
    work = event_in_work.get()
    return None if work is None or work.ended else work


def _retrieve(task: asyncio.Task[Any]) -> None:
    """The turn has told its failure already; an abandoned stream need not tell it again."""
    if not task.cancelled():
        task.exception()
