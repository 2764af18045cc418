"""Platform events on their way in: claimed once, processed in claim order per lane (contract 4.3, 4.8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import msgspec

from ..channel import ChannelIngress
from ..clock import TimeSource, epoch_ms
from ..envelope import Destination, InboundEvent
from ..errors import RequestError
from ..ids import IdSource
from ..limits import HostLimits
from ..sessions.names import joined
from ..state.base import HostStateStore, Rows, Statement
from ..state.errors import StateConflict, StateUnavailable
from ..state.settled import settled
from ..state.tables import events
from ..state.tables.events import EventEnd, TakenEvent
from .kept_context import kept_context, with_context
from .progress import Progress

_TRY_AGAIN = 1.0
"""Seconds until the end of an event is stored again, where the store was away."""

_PASSING = 16
"""Events beyond those that run at once, for what passes all lanes."""

_LOOK = 5.0
"""Seconds between two looks for events that another host accepted and could not finish."""

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class EventInWork:
    """An event while its channel processes it; the commit of its turn ends it too."""

    event: InboundEvent
    taken: TakenEvent
    turn_id: str
    """The same for every attempt (contract 4.4)."""
    ended: bool = False
    answering: int = 0
    """Turns that answer it now, and end it however they end themselves."""
    store_end: Callable[[], Awaitable[None]] | None = None
    """Stores how its turn ended, where that was tried and has failed so far."""
    begun: str = "[]"
    """JSON list of the native ids of what was shown of its reply so far (contract 4.5)."""

    def end(self, state: EventEnd) -> Statement:
        """The statement that ends it, for the turn's own unit."""
        return events.end_event(self.taken.seq, self.taken.fence, state)

    def mark_seen(self, native_ids: Sequence[str]) -> Statement:
        """The statement that says that a part of its reply is about to be shown, or under which ids it was."""
        self.begun = _encode(list(native_ids)).decode()
        return events.mark_event_seen(self.taken.seq, self.taken.fence, self.begun)

    def give_back(self) -> Statement:
        """The statement that puts it back in line, its attempt not counted."""
        return events.requeue_event(self.taken.seq, self.taken.fence)

    @property
    def destination(self) -> Destination:
        """Where its reply goes."""
        event = self.event
        return Destination(self.taken.channel, event.native_id, event.conversation_id, event.thread_id)


def _stored(event: InboundEvent) -> bytes:
    try:
        return _encode(event)
    except UnicodeEncodeError as error:
        raise RequestError(
            "The event holds a lone surrogate, which is no character; replace it, or pass over the event."
        ) from error


class GiveUp(Protocol):
    """Ends an event that may not be run again, and says so to whoever sent it (contract 4.5, 14.4)."""

    async def __call__(self, work: EventInWork, /, *, code: str, end: EventEnd) -> None: ...


event_in_work: ContextVar[EventInWork | None] = ContextVar("hosting_event_in_work", default=None)
"""The event that the current task processes."""


def lane_of(channel: str, event: InboundEvent) -> str | None:
    """What the event is in line with: its conversation, and in private chats its sender; None passes all."""
    if event.bypass_lane:
        return None
    sender = event.native_id if event.conversation_kind == "private" else None
    return joined(channel, event.tenant_id, event.conversation_id, event.thread_id, sender)


class Inbox:
    """Claims events and has their channels process them, one at a time per lane.

    Args:
        store: Where claims are kept.
        owner: This host, which takes them.
        channels: The channels that process events, by name.
        clock: For claims.
        ids: Makes the ids of turns.
        limits: Runs at once, attempts.
        give_up: Ends what may not be run again.
        run: Makes one attempt at a background run.
        logger: Told of what a channel could not process.
        draining: Once it is set, nothing more is taken; what was cut off stays in the store.
        progress: Told of each event that ended.
        answer_first: Whether an event is answered before it is acknowledged (contract 11.3).
    """

    def __init__(
        self,
        store: HostStateStore,
        channels: Mapping[str, ChannelIngress],
        *,
        owner: str,
        clock: TimeSource,
        ids: IdSource,
        limits: HostLimits,
        give_up: GiveUp,
        run: Callable[[TakenEvent], Awaitable[None]],
        logger: logging.Logger,
        draining: asyncio.Event,
        progress: Progress,
        answer_first: bool,
    ) -> None:
        self._store = store
        self._owner = owner
        self._channels = channels
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._give_up = give_up
        self._run = run
        self._log = logger
        self._draining = draining
        self._progress = progress
        self._answer_first = answer_first
        self._wake = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()

    async def accept(self, channel: str, event: InboundEvent) -> bool:
        """Claims and stores `event` in one transaction; False if it was claimed before.

        Raises:
            RequestError: It holds what is no text, such as half an emoji: it can never be kept.
            StateUnavailable: The store cannot be reached: the platform must send again.
        """
        stored = _stored(event)
        now, turn_id = epoch_ms(self._clock), self._ids.new("turn")
        claim = events.claim_event(
            channel=channel,
            delivery_id=event.delivery_id,
            lane=lane_of(channel, event),
            payload=with_context(stored, turn_id=turn_id).decode(),
            now_ms=now,
            expires_ms=now + int(event.keep_for * 1000),
        )
        new = bool((await self._kept(claim))[0])
        if new and self._answer_first:
            await self._progress.until_answered(
                self._store, channel, event.delivery_id, turn_id, draining=self._draining
            )
        return new

    async def _kept(self, claim: Statement) -> list[Rows]:
        """A store on a thread keeps a claim although its caller was cancelled; nobody sends the event again then."""
        if self._store.inline:
            self._wake.set()
            return await self._store.execute(claim)
        work = asyncio.ensure_future(self._store.execute(claim))
        work.add_done_callback(lambda _: self._wake.set())
        return await asyncio.shield(work)

    async def run(self) -> None:
        """Takes events as slots allow and has them processed, until cancelled."""
        while True:
            self._wake.clear()
            free = self._limits.max_concurrent_runs - len(self._working)
            for taken in await self._take(free):
                task = asyncio.create_task(self._process(taken), name=f"hosting.inbox.{taken.channel}")
                self._working.add(task)
                task.add_done_callback(self._worked)
            await self._something()

    async def _something(self) -> None:
        """Waits for an event, for a free place, or for the time to look for what another host left."""
        try:
            async with asyncio.timeout(_LOOK if self._store.durable else None):
                await self._wake.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Says that there is new work."""
        self._wake.set()

    async def settle(self) -> None:
        """Waits for the events under way."""
        while self._working:
            await asyncio.wait(self._working)

    async def _take(self, free: int) -> list[TakenEvent]:
        """What there is room for; where there is none, still what does not queue: cancel and `/stop` (contract 4.8)."""
        if self._draining.is_set() or free + _PASSING <= 0:
            return []
        take = (
            events.take_events(self._owner, now_ms=epoch_ms(self._clock), limit=free)
            if free > 0
            else events.take_passing_events(self._owner, limit=free + _PASSING)
        )
        return events.read_events((await self._store.execute(take))[0])

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._wake.set()
        self._progress.made()

    async def _process(self, taken: TakenEvent) -> None:
        if taken.kind == "run":
            await self._process_run(taken)
        else:
            await self._process_event(taken)

    async def _process_event(self, taken: TakenEvent) -> None:
        kept = kept_context(taken.payload)
        event = msgspec.json.decode(taken.payload, type=InboundEvent)
        work = EventInWork(event, taken, kept.turn_id or self._ids.new("turn"))
        event_in_work.set(work)
        kept.go_on_in_trace()
        try:
            await self._brought_to_its_end(work)
        except asyncio.CancelledError:
            if not (work.ended or work.answering or work.store_end):
                await self._give_back(taken)
            raise

    async def _brought_to_its_end(self, work: EventInWork) -> None:
        end: EventEnd = "settled"
        taken = work.taken
        try:
            await self._within_limits(work)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Only the turn was cancelled, before its first step: nobody else would end the event.
        except Exception:
            end = "dead"
            self._log.exception("event %d of %s could not be processed", taken.seq, taken.channel)
            await self._apologise(work)
        try:
            await self._end(work, end)
        except Exception:
            self._log.exception("event %d of %s: its end could not be stored", taken.seq, taken.channel)

    async def _give_back(self, taken: TakenEvent) -> None:
        """Work that somebody cancelled outside any turn goes on later; its lane would wait while this host lives."""
        try:
            await settled(self._store, [events.retry_event(taken.seq, taken.fence)], lambda _: None)
        except StateUnavailable as away:
            self._log.warning("event %d of %s could not be given back: %s", taken.seq, taken.channel, away)
        except StateConflict:
            return

    async def _process_run(self, taken: TakenEvent) -> None:
        """One attempt at a background run; where even its end could not be stored, there is another one."""
        try:
            await self._run(taken)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        except StateConflict:
            self._log.warning("run %s was taken over by another host", taken.delivery_id)
        except Exception:
            self._log.exception(
                "run %s could not be brought to its end; it is tried again", taken.delivery_id
            )
            await self._try_again(taken)

    async def _try_again(self, taken: TakenEvent) -> None:
        while not self._draining.is_set():
            await asyncio.sleep(_TRY_AGAIN)
            with suppress(StateUnavailable, StateConflict):
                await self._store.execute(events.retry_event(taken.seq, taken.fence))
                return

    async def _within_limits(self, work: EventInWork) -> None:
        """Has the channel process an event, unless an earlier attempt was seen or was the last one (contract 4.5)."""
        taken, most = work.taken, self._limits.turn_attempts
        if taken.seen is not None:
            await self._give_up(work, code="interrupted", end="done")
        elif taken.attempts > most:
            self._log.error("event %d of %s is given up after %d attempts", taken.seq, taken.channel, most)
            await self._give_up(work, code="out_of_attempts", end="dead")
        else:
            await self._channels[taken.channel].process(work.event)

    async def _apologise(self, work: EventInWork) -> None:
        """A channel that cannot process an event leaves nobody without a word (contract 14.4)."""
        if work.ended or work.store_end is not None:
            return
        try:
            await self._give_up(work, code="internal_error", end="dead")
        except Exception:
            self._log.exception(
                "event %d of %s: the apology could not be stored", work.taken.seq, work.taken.channel
            )

    async def _end(self, work: EventInWork, end: EventEnd) -> None:
        """Stores that an event ended: again and again while the store is away, or its lane would wait for the lease."""
        while not work.ended:
            try:
                if work.store_end is None:
                    await self._store.execute(work.end(end))
                else:
                    await work.store_end()
                work.ended = True
            except StateUnavailable:
                if self._draining.is_set():
                    raise
                await asyncio.sleep(_TRY_AGAIN)
            except StateConflict:  # another host has taken it over
                work.ended = True
