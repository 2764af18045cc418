"""The log of a background run: what it says, kept as it goes, read by anybody from any place (contract 7.2, 12.2).

Updates are kept as they came, several to an entry: an entry is what one write holds, and the same for every reader. So
whoever reads from the start, from the middle, or on another host renders the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

import msgspec
from agent_framework import AgentResponseUpdate

from ..clock import TimeSource, epoch_ms
from ..results import LoggedUpdates
from ..serialization import from_json, to_json
from ..state.base import HostStateStore, Statement
from ..state.errors import StateUnavailable
from ..state.settled import settled
from ..state.signals import StoreSignals, signal
from ..state.tables import runs
from ..state.tables.runs import StoredRun

_AFTER = 0.05
"""Seconds that an update may wait for others before it is written."""

_FULL = 16
"""Updates that are written at once."""

_PAGE = 64
_LOOK = 1.0
"""Seconds between two looks of a reader that nothing woke."""


class RunLogWriter:
    """Where a background turn puts its updates; no reader slows it, only the store does.

    Args:
        store: Where the log is.
        run_id: The run.
        fence: The attempt; an older one writes nothing.
    """

    def __init__(self, store: HostStateStore, run_id: str, fence: int) -> None:
        self._store = store
        self._run_id = run_id
        self._fence = fence
        self._seq = 0
        self._waiting: list[Any] = []
        self._turnstile = asyncio.Lock()
        self._timer: asyncio.Task[None] | None = None
        self.updates: list[AgentResponseUpdate] = []

    async def put(self, raw: AgentResponseUpdate, update: AgentResponseUpdate | None) -> None:
        """Adds an update as the stream hook left it.

        Raises:
            StateConflict: Another host has taken the run over.
        """
        if self._timer is not None and self._timer.done():
            timer, self._timer = self._timer, None
            timer.result()
        if update is None:
            return
        encoded = to_json(update)
        self.updates.append(from_json(encoded))  # as every reader sees it, without the provider's raw object
        self._waiting.append(encoded)
        if len(self._waiting) >= _FULL:
            await self._flush()
        elif self._timer is None:
            self._timer = asyncio.create_task(self._flush_soon(), name=f"hosting.run_log.{self._run_id}")

    async def drained(self) -> None:
        """Nothing to wait for: what is left goes into the unit of the turn's end."""

    async def stop(self) -> None:
        """Ends the timer; nothing is written any more but what `rest` gives."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            await asyncio.wait([timer])

    def rest(self) -> list[Statement]:
        """The statements of what was not written yet, for the unit of the turn's end."""
        return self._entry() if self._waiting else []

    async def _flush_soon(self) -> None:
        await asyncio.sleep(_AFTER)
        await self._flush()
        self._timer = None

    async def _flush(self) -> None:
        """Writes what waits; one that is cancelled waits until it knows, or the end would write it once more."""
        async with self._turnstile:
            if not self._waiting:
                return
            count = len(self._waiting)

            def written(_: object) -> None:
                self._seq += 1
                del self._waiting[:count]

            await settled(self._store, self._entry(), written)

    def _entry(self) -> list[Statement]:
        entry = msgspec.json.encode(self._waiting).decode()
        return [
            runs.append_to_log(self._run_id, self._fence, self._seq + 1, entry),
            signal(topic_of(self._run_id)),
        ]


class RunLogReader:
    """Reads logs of runs, on any host.

    Args:
        store: Where the logs are.
        clock: For keep-alives.
        keepalive: Seconds of silence after which a reader gets an empty entry.
        draining: Once it is set, readers of runs that do not end within `patience` are sent away.
        patience: Seconds.
    """

    def __init__(
        self,
        store: HostStateStore,
        clock: TimeSource,
        keepalive: float,
        *,
        draining: asyncio.Event,
        patience: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._keepalive = keepalive
        self._draining = draining
        self._patience = patience

    async def load(self, token_hash: str) -> StoredRun | None:
        """The run of a token."""
        rows = await self._store.execute(runs.load_run_by_token(token_hash, now_ms=epoch_ms(self._clock)))
        return runs.read_run(rows[0])

    async def read(self, run_id: str, *, after: int = 0) -> AsyncGenerator[LoggedUpdates, None]:
        """Entries behind `after` as they come, until the run has ended and everything was read, or the host stops.

        Look at the run afterwards: one that has not ended can be read on from another host.
        """
        woken = asyncio.Event()
        end = _subscribed(self._store, topic_of(run_id), woken)
        silent_since = self._clock.monotonic()
        leave_at: float | None = None
        try:
            while True:
                woken.clear()
                ended, entries = await self._page(run_id, after)
                for seq, entry in entries:
                    after, silent_since = seq, self._clock.monotonic()
                    yield LoggedUpdates(seq, [from_json(item) for item in msgspec.json.decode(entry)])
                if len(entries) == _PAGE:
                    continue
                if ended or (leave_at is not None and self._clock.monotonic() >= leave_at):
                    return
                if leave_at is None and self._draining.is_set():
                    leave_at = self._clock.monotonic() + self._patience
                await _wait(woken)
                if self._clock.monotonic() - silent_since >= self._keepalive:
                    silent_since = self._clock.monotonic()
                    yield LoggedUpdates(after, [])
        finally:
            end()

    async def end_of(self, run_id: str) -> None:
        """Returns once the run is over; it does not count as reading."""
        await self._wait_for_end(run_id, leaves=False)

    async def ended_here(self, run_id: str) -> bool:
        """As `end_of`, but False where this host stops before."""
        return await self._wait_for_end(run_id, leaves=True)

    async def _wait_for_end(self, run_id: str, *, leaves: bool) -> bool:
        woken = asyncio.Event()
        end = _subscribed(self._store, topic_of(run_id), woken)
        leave_at: float | None = None
        try:
            while True:
                woken.clear()
                run = runs.read_run((await self._store.execute(runs.load_run(run_id)))[0])
                if run is None or run.completed_ms is not None:
                    return True
                now = self._clock.monotonic()
                if leaves and leave_at is None and self._draining.is_set():
                    leave_at = now + self._patience
                if leave_at is not None and now >= leave_at:
                    return False
                await _wait(woken)
        finally:
            end()

    async def _page(self, run_id: str, after: int) -> tuple[bool, list[tuple[int, str]]]:
        """Whether the run has ended, and what there is, marked as seen before anybody sees it (contract 4.5)."""
        try:
            _, log, run = await self._store.execute(
                runs.mark_run_seen(run_id),
                runs.load_log(run_id, after=after, limit=_PAGE),
                runs.load_run(run_id),
            )
        except StateUnavailable:  # the reader waits for the store as for the run
            return False, []
        found = runs.read_run(run)
        return found is None or found.completed_ms is not None, runs.read_log(log)


def topic_of(run_id: str) -> str:
    """What readers of a run wait for."""
    return f"run:{run_id}"


async def _wait(woken: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK):
            await woken.wait()


def _subscribed(store: HostStateStore, topic: str, event: asyncio.Event) -> Callable[[], None]:
    return store.subscribe(topic, event) if isinstance(store, StoreSignals) else lambda: None
