"""One module per table: functions that make its statements, and the frozen rows they return."""

from . import (
    aliases,
    checkpoints,
    events,
    history,
    identity_keys,
    outbox,
    records,
    sessions,
    snapshots,
    turns,
)

__all__ = [
    "aliases",
    "checkpoints",
    "events",
    "history",
    "identity_keys",
    "outbox",
    "records",
    "sessions",
    "snapshots",
    "turns",
]
