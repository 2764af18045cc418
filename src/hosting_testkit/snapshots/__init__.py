"""Snapshots of abstract events and of server-sent frames, on syrupy (conformance kit 4.13)."""

from .ci import in_ci, refuse_update_in_ci
from .extensions import EventsSnapshotExtension, SseSnapshotExtension, events_snapshot, sse_snapshot

__all__ = [
    "EventsSnapshotExtension",
    "SseSnapshotExtension",
    "events_snapshot",
    "in_ci",
    "refuse_update_in_ci",
    "sse_snapshot",
]
