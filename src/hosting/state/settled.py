"""Units that are decided whatever happens to who waits for them (contract 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from .base import HostStateStore, Rows, Statement
from .errors import StateConflict, StateOutcomeUnknown, StateUnavailable

Kept = Callable[[], Awaitable[bool]]
"""Says whether a unit was kept that can be kept once only."""

_AGAIN = 1.0
"""Seconds until a store that broke off is asked again."""

_TRIES = 10


async def settled(
    store: HostStateStore,
    unit: Sequence[Statement],
    done: Callable[[list[Rows]], None],
    *,
    kept: Kept | None = None,
) -> None:
    """Runs `unit`, then calls `done` with its rows, then raises the cancellation that came in meanwhile.

    A store on a thread keeps a unit although its caller was cancelled; so the caller waits until it knows.

    Args:
        store: Runs the unit.
        unit: One transaction.
        done: Called once it is committed; with no rows where that had to be found out.
        kept: For a unit that conflicts with itself. If its commit was sent and the answer lost, the unit is run again: it
            is kept then, or was before, which `kept` tells from a conflict with somebody else.
    """
    if store.inline:
        done(await _decided(store, unit, kept))
        return
    task = asyncio.ensure_future(_decided(store, unit, kept))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as exc:
            cancelled = exc
    error = task.exception()
    if error is None:
        done(task.result())
    if cancelled is not None:
        raise cancelled from error
    if error is not None:
        raise error


async def _decided(store: HostStateStore, unit: Sequence[Statement], kept: Kept | None) -> list[Rows]:
    try:
        return await store.execute(*unit)
    except StateOutcomeUnknown as unknown:
        if kept is None:
            raise
        return await _found_out(store, unit, kept, unknown)


async def _found_out(
    store: HostStateStore, unit: Sequence[Statement], kept: Kept, unknown: StateOutcomeUnknown
) -> list[Rows]:
    for _ in range(_TRIES):
        await asyncio.sleep(_AGAIN)
        try:
            return await store.execute(*unit)
        except StateConflict:
            if await kept():
                return []
            raise
        except StateUnavailable:
            continue
    raise unknown
