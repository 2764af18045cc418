"""The host as one channel sees it (contract 2.4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from .channel import ChannelState, TargetInfo
from .clock import TimeSource
from .commands import ChannelCommand
from .delivery.inbox import EventInWork, Inbox, event_in_work
from .envelope import ChannelRequest, InboundEvent
from .ids import IdSource
from .limits import HostLimits
from .results import HostedRunResult, HostedStreamResult, OnCommit
from .sessions.names import SessionName
from .state.access import RecordState
from .tasks import OwnedTasks
from .turn.pipeline import conduct
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
    def draining(self) -> asyncio.Event:
        return self._draining

    async def run(
        self, request: ChannelRequest, *, protocol_request: Any = None, on_commit: OnCommit | None = None
    ) -> HostedRunResult[Any]:
        return await self._conduct(self._turn(request, protocol_request, on_commit))

    async def run_stream(
        self, request: ChannelRequest, *, protocol_request: Any = None, on_commit: OnCommit | None = None
    ) -> HostedStreamResult:
        turn = self._turn(request, protocol_request, on_commit)
        buffer = UpdateBuffer(self.limits.stream_buffer)
        turn.sink = buffer
        owner = asyncio.create_task(self._own(turn, buffer), name=f"hosting.turn.{turn.id}")
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

    async def accept(self, event: InboundEvent) -> bool:
        self._admit()
        return await self._inbox.accept(self._name, event)

    async def cancel(self, response_id: str) -> bool:
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
        return Turn(
            id=ids.new("turn"),
            entry=entry,
            request=request,
            response_id=request.response_id or ids.new("resp"),
            started=self._services.clock.monotonic(),
            protocol_request=protocol_request,
            on_commit=on_commit,
            event=_event(),
        )

    async def _own(self, turn: Turn, buffer: UpdateBuffer) -> HostedRunResult[Any]:
        try:
            return await self._conduct(turn)
        finally:
            buffer.end()

    async def _conduct(self, turn: Turn) -> HostedRunResult[Any]:
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
