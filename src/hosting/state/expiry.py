"""The sweep: takes expired rows away in small batches (contract 15.4).

Identity keys and aliases never expire (contract 9.1, 6.5). Nothing that is under way is taken: open turns, events,
deliveries, runs and tasks stay whatever their time says.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import HostStateStore, Statement
from .tables import (
    cancels,
    checkpoints,
    events,
    history,
    instances,
    locks,
    outbox,
    records,
    runs,
    sessions,
    snapshots,
    tasks,
    turns,
)

_GRACE_MS = 24 * 3_600_000
"""A checkpoint may come before its session, a turn may be under way in one, a host may be asked after; not a day later."""

_ROWS_OF_A_RUN = 10
"""A run takes its event log with it, so fewer go at once."""


async def sweep(store: HostStateStore, now_ms: int, *, limit: int = 100) -> int:
    """Removes up to `limit` expired rows of each table, each table in a unit of its own.

    Returns:
        The number of rows removed; repeat until it is 0.

    Raises:
        StateUnavailable: The store cannot be reached; what was removed before stays removed.
    """
    removed = 0
    for batch in _batches(now_ms, limit):
        removed += len((await store.execute(*batch))[-1])
    for _ in range(limit):
        *_, gone, end = await store.execute(*history.expire_history(limit))
        removed += len(gone)
        if not end:
            break
    return removed


def _batches(now_ms: int, limit: int) -> Sequence[Sequence[Statement]]:
    return (
        snapshots.expire_snapshots(now_ms, limit),
        sessions.expire_sessions(now_ms - _GRACE_MS, limit),
        (events.expire_events(now_ms, limit),),
        (turns.expire_turns(now_ms, limit),),
        (outbox.expire_deliveries(now_ms, limit),),
        (records.expire_records(now_ms, limit),),
        (checkpoints.expire_checkpoints(now_ms - _GRACE_MS, limit),),
        runs.expire_runs(now_ms, max(1, limit // _ROWS_OF_A_RUN)),
        (tasks.expire_tasks(now_ms, limit),),
        (cancels.expire_cancels(now_ms),),
        locks.expire_locks(now_ms),
        (instances.expire_instances(now_ms - _GRACE_MS),),
    )
