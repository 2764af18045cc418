"""Platform events on their way in: claimed once, processed in claim order per lane (contract 4.3, 4.8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

import msgspec

from ..channel import ChannelIngress
from ..clock import TimeSource, epoch_ms
from ..envelope import InboundEvent
from ..limits import HostLimits
from ..sessions.names import joined
from ..state.base import HostStateStore, Statement
from ..state.tables import events
from ..state.tables.events import EventEnd, TakenEvent

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class EventInWork:
    """An event while its channel processes it; the commit of its turn ends it too."""

    event: InboundEvent
    taken: TakenEvent
    ended: bool = False

    def end(self, state: EventEnd) -> Statement:
        """The statement that ends it, for the turn's own unit."""
        return events.end_event(self.taken.seq, self.taken.fence, state)

    def give_back(self) -> Statement:
        """The statement that puts it back in line, its attempt not counted."""
        return events.requeue_event(self.taken.seq, self.taken.fence)


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
        channels: The channels that process events, by name.
        clock: For claims and leases.
        limits: Runs at once, time of a run, attempts.
        logger: Told of what a channel could not process.
        draining: Once it is set, nothing more is taken; what was cut off stays in the store.
    """

    def __init__(
        self,
        store: HostStateStore,
        channels: Mapping[str, ChannelIngress],
        *,
        clock: TimeSource,
        limits: HostLimits,
        logger: logging.Logger,
        draining: asyncio.Event,
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._limits = limits
        self._log = logger
        self._draining = draining
        self._wake = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        # Long enough for a full queue of runs, since nothing renews it yet.
        self._lease_ms = int(limits.run_timeout * (limits.session_queue + 2) * 1000)

    async def accept(self, channel: str, event: InboundEvent) -> bool:
        """Claims and stores `event` in one transaction; False if it was claimed before.

        Raises:
            StateUnavailable: The store cannot be reached: the platform must send again.
        """
        now = epoch_ms(self._clock)
        claim = events.claim_event(
            channel=channel,
            delivery_id=event.delivery_id,
            lane=lane_of(channel, event),
            payload=_encode(event).decode(),
            now_ms=now,
            expires_ms=now + int(event.keep_for * 1000),
        )
        new = bool((await self._store.execute(claim))[0])
        if new:
            self._wake.set()
        return new

    async def run(self) -> None:
        """Takes events as slots allow and has them processed, until cancelled."""
        while True:
            self._wake.clear()
            free = self._limits.max_concurrent_runs - len(self._working)
            for taken in await self._take(free):
                task = asyncio.create_task(self._process(taken), name=f"hosting.inbox.{taken.channel}")
                self._working.add(task)
                task.add_done_callback(self._worked)
            await self._wake.wait()

    async def settle(self) -> None:
        """Waits for the events under way."""
        while self._working:
            await asyncio.wait(self._working)

    async def _take(self, free: int) -> list[TakenEvent]:
        if free <= 0 or self._draining.is_set():
            return []
        now = epoch_ms(self._clock)
        rows = await self._store.execute(
            events.bury_events(now_ms=now, max_attempts=self._limits.turn_attempts),
            events.take_events(now_ms=now, lease_until_ms=now + self._lease_ms, limit=free),
        )
        for dead in events.read_events(rows[0]):
            self._log.error(
                "event %d of %s is given up after %d attempts", dead.seq, dead.channel, dead.attempts
            )
        return events.read_events(rows[1])

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._wake.set()

    async def _process(self, taken: TakenEvent) -> None:
        work = EventInWork(msgspec.json.decode(taken.payload, type=InboundEvent), taken)
        event_in_work.set(work)
        end: EventEnd = "settled"
        try:
            await self._channels[taken.channel].process(work.event)
        except Exception:
            end = "dead"
            self._log.exception("event %d of %s could not be processed", taken.seq, taken.channel)
        if not work.ended:
            await self._store.execute(work.end(end))
