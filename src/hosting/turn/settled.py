"""Units that are decided whatever happens to who waits for them (contract 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..state.base import HostStateStore, Rows, Statement


async def settled(
    store: HostStateStore, unit: Sequence[Statement], done: Callable[[list[Rows]], None]
) -> None:
    """Runs `unit`, then calls `done` with its rows, then raises the cancellation that came in meanwhile.

    A store on a thread keeps a unit although its caller was cancelled; so the caller waits until it knows.
    """
    if store.inline:
        done(await store.execute(*unit))
        return
    task = asyncio.ensure_future(store.execute(*unit))
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
