"""One module per table: functions that make its statements, and the frozen rows they return."""

from . import (
    aliases,
    cancels,
    checkpoints,
    events,
    history,
    identity_keys,
    instances,
    locks,
    outbox,
    procrastinate_jobs,
    records,
    runs,
    sessions,
    snapshots,
    tasks,
    turns,
)

__all__ = [
    "aliases",
    "cancels",
    "checkpoints",
    "events",
    "history",
    "identity_keys",
    "instances",
    "locks",
    "outbox",
    "procrastinate_jobs",
    "records",
    "runs",
    "sessions",
    "snapshots",
    "tasks",
    "turns",
]
