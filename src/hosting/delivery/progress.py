"""Where a process does not stay, a webhook is acknowledged once all that it caused is done (contract 11.3)."""

from __future__ import annotations

import asyncio

from ..state.base import HostStateStore
from ..state.tables import events, outbox

_LOOK = 1.0
"""Seconds between two looks at what another host may have done."""


class Progress:
    """Tells that an event or a send has come to its end on this host."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def made(self) -> None:
        """Something ended; whoever waits looks again."""
        for waiting in self._waiting:
            waiting.set()

    async def until_answered(
        self, store: HostStateStore, channel: str, delivery_id: str, turn_id: str, *, draining: asyncio.Event
    ) -> None:
        """Waits until an event has been processed and its replies have been sent or given up.

        Once the host drains, what has not begun is left to the next process.
        """
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            while state := await _open_state(store, channel, delivery_id, turn_id):
                if state == "queued" and draining.is_set():
                    return
                await _wait(changed)
        finally:
            self._waiting.discard(changed)


async def _open_state(store: HostStateStore, channel: str, delivery_id: str, turn_id: str) -> str | None:
    """Where the event stands, or `replying`; None once nothing is left to do."""
    found, replies = await store.execute(
        events.load_open_event(channel, delivery_id), outbox.load_deliveries_of_turn(turn_id)
    )
    if state := events.read_open_state(found):
        return state
    waiting = any(reply.state in ("pending", "sending") for reply in outbox.read_deliveries(replies))
    return "replying" if waiting else None


async def _wait(changed: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK):
            await changed.wait()
    except TimeoutError:
        return
    changed.clear()
