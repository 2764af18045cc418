"""Snapshots of events and frames hide ids, times and chunks, and nothing else (conformance kit 4.13, E14)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hosting_testkit.snapshots import (
    EventsSnapshotExtension,
    SseSnapshotExtension,
    events_snapshot,
    in_ci,
    sse_snapshot,
)

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@dataclass
class TextAdded:
    item_id: str
    text: str


EVENTS: list[Any] = [
    {"type": "started", "response_id": "resp_5f0c"},
    TextAdded("msg_77", "caf\u00e9\nbar"),
    TextAdded("msg_77", "caf\u00e9\nbar"),
    {"type": "completed", "response_id": "resp_5f0c"},
]


def frame(event: str, number: int, **data: Any) -> bytes:
    return f"id: {number}\nevent: {event}\ndata: {json.dumps({'type': event} | data)}\n\n".encode()


FRAMES = [
    frame("response.created", 0, response={"id": "resp_5f0c", "status": "in_progress"}),
    b": keep-alive\n\n",
    frame("response.output_text.delta", 1, delta="caf\u00e9 \u2028", item_id="msg_77"),
    frame("response.output_text.delta", 2, delta="b", item_id="msg_77"),
    frame("response.completed", 3, response={"id": "resp_5f0c", "status": "completed"}),
    b"data: [DONE]\n\n",
]


def events_text(data: Any) -> str:
    return EventsSnapshotExtension().serialize(data)


def sse_text(data: Any) -> str:
    return SseSnapshotExtension().serialize(data)


def test_events_match_their_kept_snapshot(snapshot: SnapshotAssertion) -> None:
    assert events_snapshot(snapshot) == EVENTS


def test_frames_match_their_kept_snapshot(snapshot: SnapshotAssertion) -> None:
    assert sse_snapshot(snapshot) == FRAMES


def test_each_event_has_one_line_whatever_its_text_holds() -> None:
    assert len(events_text(EVENTS).split("\n")) == len(EVENTS) + 1
    assert len(events_text([TextAdded("a", "\u2028\u0085\r\n")]).splitlines()) == 1


def test_key_order_does_not_show_but_event_order_and_repeats_do() -> None:
    assert events_text([{"a": 1, "b": 2}]) == events_text([{"b": 2, "a": 1}])
    text = events_text(EVENTS)
    assert events_text(EVENTS[::-1]) != text
    assert events_text(EVENTS[:2] + EVENTS[3:]) != text


def test_an_event_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError):
        events_text([object()])


def test_where_the_body_was_cut_and_its_line_ends_do_not_show() -> None:
    body = b"".join(FRAMES)
    text = sse_text(FRAMES)
    assert sse_text(body) == sse_text([body[i : i + 1] for i in range(len(body))]) == text
    assert sse_text(body.replace(b"\n", b"\r\n")) == text
    assert sse_text(body.decode()) == text


def test_other_ids_give_the_same_snapshot_if_they_link_the_same_frames() -> None:
    body = b"".join(FRAMES)
    text = sse_text(body)
    assert sse_text(body.replace(b"resp_5f0c", b"resp_9999")) == text
    assert sse_text(body.replace(b"resp_5f0c", b"resp_9999", 1)) != text
    other = [frame("x", n, item_id=f"msg_{n}") for n in range(2)]
    same = [frame("x", n, item_id="msg_0") for n in range(2)]
    assert sse_text(other) != sse_text(same)


@pytest.mark.parametrize(
    "changed",
    [
        [FRAMES[0], *FRAMES[2:]],
        [*FRAMES[:2], FRAMES[3], FRAMES[2], *FRAMES[4:]],
        [*FRAMES, FRAMES[-1]],
        [FRAMES[0].replace(b"id: 0\n", b""), *FRAMES[1:]],
        [*FRAMES[:4], FRAMES[4].replace(b"id: 3", b"id: 4"), FRAMES[5]],
        [*FRAMES[:-1], b"data: [DONE]\n"],
        [*FRAMES[:-1], b"data:[DONE]\n\n"],
        [*FRAMES[:2], FRAMES[2].replace(b'"delta": "caf', b'"delta": "cof'), *FRAMES[3:]],
    ],
    ids=["no comment", "swapped", "repeated", "no id", "gap", "cut off", "no space", "other text"],
)
def test_a_stream_that_differs_has_another_snapshot(changed: list[bytes]) -> None:
    assert sse_text(changed) != sse_text(FRAMES)


def test_bytes_that_are_no_text_still_show() -> None:
    assert "\\xff" in sse_text(b"data: \xff\n\n")


@pytest.mark.parametrize(
    ("value", "is_ci"), [("true", True), ("1", True), ("", False), ("0", False), ("false", False)]
)
def test_ci_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, value: str, is_ci: bool) -> None:
    monkeypatch.setenv("CI", value)
    assert in_ci() is is_ci


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


def test_a_developer_may_update_and_ci_may_not(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile(
        test_it="""
        import os
        from hosting_testkit.snapshots import EventsSnapshotExtension, sse_snapshot

        def test_helper(snapshot):
            assert sse_snapshot(snapshot)(name="happy") == b"data: {}\\n\\n"

        def test_class(snapshot):
            assert snapshot.use_extension(EventsSnapshotExtension) == [{"n": os.environ.get("N", "1")}]
        """
    )
    both = {"test_helper[happy].sse", "test_class.events"}
    run(project, "--snapshot-update").assert_outcomes(passed=2)
    assert kept(project) == both

    monkeypatch.setenv("CI", "true")
    run(project).assert_outcomes(passed=2)
    monkeypatch.setenv("N", "2")
    refused = run(project, "--snapshot-update")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stdout.fnmatch_lines(["*Exit: found a snapshot update with CI set*"])
    run(project, "--snapshot-update", "-k", "class").assert_outcomes(failed=1)
    assert kept(project) == both
    assert "1" in (project.path / "__snapshots__/test_it/test_class.events").read_text()


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """In a process of its own, because syrupy keeps its session in a global; with as few plugins as can be."""
    return project.runpytest_subprocess("-p", "syrupy", *options)


def kept(project: pytest.Pytester) -> set[str]:
    return {path.name for path in (project.path / "__snapshots__").rglob("*.*")}


ITEMS = """
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.amber import AmberSnapshotExtension
from syrupy.location import PyTestLocation
from hosting_testkit.snapshots import events_snapshot

class Scenario(pytest.Item):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.obj = self.runtest

    def runtest(self):
        snapshot = SnapshotAssertion(
            update_snapshots=self.config.option.update_snapshots,
            extension_class=AmberSnapshotExtension,
            test_location=PyTestLocation(self),
            session=self.config._syrupy,
        )
        assert events_snapshot(snapshot) == [{"scenario": self.name}]

class Scenarios(pytest.File):
    def collect(self):
        for name in ("happy", "cancel"):
            yield Scenario.from_parent(self, name=name)

def pytest_collect_file(file_path, parent):
    if file_path.name == "conformance.toml":
        return Scenarios.from_parent(parent, path=file_path)
"""


def test_items_of_the_kit_keep_their_snapshots_beside_the_authors_file_also_under_xdist(
    project: pytest.Pytester,
) -> None:
    project.makeconftest(ITEMS)
    project.makefile(".toml", conformance="")
    run(project, "-p", "xdist", "-n", "2", "--snapshot-update").assert_outcomes(passed=2)
    assert kept(project) == {"happy.events", "cancel.events"}
    assert (project.path / "__snapshots__/conformance/happy.events").read_text() == '{"scenario": "happy"}\n'
    run(project).assert_outcomes(passed=2)
