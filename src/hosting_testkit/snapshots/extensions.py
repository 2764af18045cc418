"""Two single-file snapshot formats for syrupy: what a channel meant, and what it sent (conformance kit 4.13).

Ids and times are normalised in both; order, count and linkage never are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from . import render
from .ci import REFUSAL, in_ci, refuse_update_in_ci

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion
    from syrupy.data import SnapshotCollection


class _TextSnapshot(SingleFileSnapshotExtension):
    """Text in a file of its own; used without the helpers below, an update in CI fails the assertion."""

    _write_mode = WriteMode.TEXT

    @classmethod
    def write_snapshot_collection(cls, *, snapshot_collection: SnapshotCollection, **options: Any) -> None:
        if in_ci():
            raise pytest.UsageError(REFUSAL)
        super().write_snapshot_collection(snapshot_collection=snapshot_collection, **options)


class EventsSnapshotExtension(_TextSnapshot):
    """`.events`: one abstract event per line. The data is a sequence of mappings or dataclasses."""

    file_extension = "events"

    def serialize(self, data: Iterable[Any], **_: Any) -> str:
        return render.events(data)


class SseSnapshotExtension(_TextSnapshot):
    """`.sse`: the frames as sent, comments and ids included. The data is the body, whole or in chunks."""

    file_extension = "sse"

    def serialize(self, data: bytes | str | Iterable[bytes], **_: Any) -> str:
        return render.sse(data)


def events_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """syrupy's `snapshot` for abstract events: `assert events == events_snapshot(snapshot)`.

    Raises:
        pytest.exit.Exception: `--snapshot-update` was given where `CI` is set; see `refuse_update_in_ci`.
    """
    return _with(snapshot, EventsSnapshotExtension)


def sse_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """syrupy's `snapshot` for a body of server-sent events: `assert body == sse_snapshot(snapshot)`.

    Raises:
        pytest.exit.Exception: `--snapshot-update` was given where `CI` is set; see `refuse_update_in_ci`.
    """
    return _with(snapshot, SseSnapshotExtension)


def _with(snapshot: SnapshotAssertion, extension: type[_TextSnapshot]) -> SnapshotAssertion:
    refuse_update_in_ci(snapshot.session.pytest_session.config)
    return snapshot.use_extension(extension)
