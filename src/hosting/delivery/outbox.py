"""Sends the replies that commits left in the outbox, in order per destination (contract 4.6, 4.7).

A send is repeated only if it surely did not arrive. Anything else that fails is `unknown`: recorded, never repeated.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from ..channel import ChannelPush, PushContext, PushReceipt, PushRetryable
from ..clock import TimeSource, epoch_ms
from ..durable.policy import RetryPolicy
from ..envelope import Destination
from ..results import HostedRunResult
from ..sessions.names import joined
from ..state.base import HostStateStore, Rows, Statement
from ..state.errors import StateConflict
from ..state.settled import settled
from ..state.tables import outbox
from .payload import decode_result, encode_result
from .progress import Progress

_BATCH = 32
_KEEP_MS = 24 * 3600 * 1000
_BLOCKED = 1.0
"""Seconds before a lane that waits is looked at again."""

_LOOK = 5.0
"""Seconds between two looks for what other hosts left behind."""

_MOST_DETAIL = 200
"""Characters of a receipt's detail that are logged."""


def delivery_row(
    *,
    id: str,
    turn_id: str,
    destination: Destination,
    result: HostedRunResult[Any],
    now_ms: int,
    begun: str = "[]",
) -> Statement:
    """The outbox row of one reply; rows of one destination keep their order.

    Args:
        begun: JSON list of the native ids of a message that the turn began and did not finish (contract 4.5).
    """
    place = destination.to_dict()
    return outbox.add_delivery(
        id=id,
        turn_id=turn_id,
        channel=destination.channel,
        destination=msgspec.json.encode(place).decode(),
        lane=joined(*place.values()),
        payload=encode_result(result),
        now_ms=now_ms,
        due_ms=0,  # at once, also for a process whose clock was set back
        expires_ms=now_ms + _KEEP_MS,
        native_ids=begun,
    )


class Outbox:
    """The one task of a host that sends outbox rows.

    Args:
        store: Where the rows are.
        owner: This host, which sends.
        channels: The channels that can push, by name.
        clock: Decides what is due.
        logger: Told of what was not sent.
        progress: Told of each send that ended.
        retry: When to try again.
    """

    def __init__(
        self,
        store: HostStateStore,
        channels: Mapping[str, ChannelPush],
        *,
        owner: str,
        clock: TimeSource,
        logger: logging.Logger,
        progress: Progress,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._store = store
        self._owner = owner
        self._channels = channels
        self._clock = clock
        self._log = logger
        self._progress = progress
        self._retry = retry or RetryPolicy()
        self._wake = asyncio.Event()
        self._sends: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Says that there are new rows."""
        self._wake.set()

    async def run(self) -> None:
        """Begins to send what is due, until cancelled; `settle` ends the sends under way."""
        while True:
            self._wake.clear()
            if await self._take() < _BATCH:
                await self._idle()

    async def settle(self, timeout: float) -> None:
        """Waits for the sends under way; those that take longer are cut off, and nobody knows whether they arrived."""
        if self._sends:
            await asyncio.wait(self._sends, timeout=timeout)
        while self._sends:
            for task in self._sends:
                task.cancel()
            await asyncio.wait(self._sends)

    async def _take(self) -> int:
        """Begins to send what is due, and says how much; what the store has given to this host is sent by it."""
        now = epoch_ms(self._clock)
        await self._give_up_stuck(now)
        taken: list[outbox.Delivery] = []

        def begin(rows: list[Rows]) -> None:
            taken.extend(outbox.read_deliveries(rows[0]))
            for delivery in taken:
                task = asyncio.create_task(self._send(delivery), name=f"hosting.outbox.{delivery.channel}")
                self._sends.add(task)
                task.add_done_callback(self._sent)

        await settled(self._store, [outbox.take_deliveries(self._owner, now_ms=now, limit=_BATCH)], begin)
        return len(taken)

    async def _give_up_stuck(self, now: int) -> None:
        """A send whose sender is gone may have arrived: it is `unknown`, and no longer holds its lane (contract 4.7)."""
        stuck = outbox.load_stuck_deliveries(now_ms=now, limit=_BATCH)
        for delivery in outbox.read_deliveries((await self._store.execute(stuck))[0]):
            self._log.error(
                "delivery %s: its sender stopped in the middle; whether it arrived is unknown", delivery.id
            )
            with suppress(StateConflict):  # another host has said so
                await self._end(delivery, PushReceipt(status="unknown"))

    async def _idle(self) -> None:
        due = outbox.read_due_ms((await self._store.execute(outbox.next_due_delivery()))[0])
        wait = None if due is None or self._sends else (due - epoch_ms(self._clock)) / 1000
        if wait is not None and wait <= 0:
            wait = _BLOCKED  # it is due, and was not taken: its lane waits for a send of somebody else
        if wait is not None or (self._store.durable and not self._sends):
            wait = min(wait or _LOOK, _LOOK)  # the clock may be set back, and others may leave something
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sends.discard(task)
        self._wake.set()
        self._progress.made()

    async def _send(self, delivery: outbox.Delivery) -> None:
        try:
            receipt = await self._push(delivery)
        except PushRetryable as exc:
            await self._later(delivery, exc)
            return
        except asyncio.CancelledError:  # a part may have arrived: as after a crash, it is not repeated
            receipt = PushReceipt(status="unknown", detail="cut off")
            self._report(delivery, receipt)
        except Exception:
            self._log.exception("delivery %s: the send failed; whether it arrived is unknown", delivery.id)
            receipt = PushReceipt(status="unknown")
        else:
            self._report(delivery, receipt)
        await self._end(delivery, receipt)

    def _report(self, delivery: outbox.Delivery, receipt: PushReceipt) -> None:
        """Tells of a reply that nobody may have seen; the detail is the channel's, and kept on one short line."""
        if receipt.status != "sent":
            place = (delivery.channel, delivery.id, delivery.turn_id)
            detail = receipt.detail[:_MOST_DETAIL]
            self._log.warning("channel %s: delivery %s of turn %s is %s: %r", *place, receipt.status, detail)

    async def _push(self, delivery: outbox.Delivery) -> PushReceipt:
        channel = self._channels.get(delivery.channel)
        if channel is None:
            return PushReceipt(status="dead", detail="this host has no channel of that name that can push")
        destination = msgspec.json.decode(delivery.destination, type=Destination)
        context = PushContext(
            delivery_id=delivery.id,
            attempt=delivery.attempts,
            originating=True,
            begun=tuple(msgspec.json.decode(delivery.native_ids)),
        )
        return await channel.push(destination, decode_result(delivery.payload), context=context)

    async def _later(self, delivery: outbox.Delivery, refused: PushRetryable) -> None:
        if delivery.attempts >= self._retry.max_attempts:
            self._log.error("delivery %s: not sent in %d attempts; given up", delivery.id, delivery.attempts)
            await self._end(delivery, PushReceipt(status="dead", detail="out_of_attempts"))
            return
        now = epoch_ms(self._clock)
        wait = self._retry.wait(delivery.attempts, refused.retry_after, random=lambda: _share(delivery))
        due = now + int(wait * 1000)
        again = outbox.retry_delivery(delivery.id, delivery.attempts, due_ms=due, now_ms=now)
        await settled(self._store, [again], lambda _: None)

    async def _end(self, delivery: outbox.Delivery, receipt: PushReceipt) -> None:
        ids = list(receipt.native_ids)  # where there are none, those that were noted on the way stay
        native_ids = msgspec.json.encode(ids).decode() if ids else None
        end = outbox.end_delivery(
            delivery.id,
            delivery.attempts,
            receipt.status,
            native_ids=native_ids,
            now_ms=epoch_ms(self._clock),
        )
        await settled(self._store, [end], lambda _: None)


def _share(delivery: outbox.Delivery) -> float:
    """Spreads the next tries of what was refused together: between 0 and 1, the same whenever it is asked."""
    return zlib.crc32(f"{delivery.id}:{delivery.attempts}".encode()) / 2**32
