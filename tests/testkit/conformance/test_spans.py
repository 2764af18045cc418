"""The kit keeps spans without an OpenTelemetry SDK, and lets go of them afterwards."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from hosting_testkit.conformance.spans import captured_spans

EARLY = trace.get_tracer("made when the module was imported")


def test_spans_nest_and_tell_how_they_ended() -> None:
    with captured_spans() as kept:
        tracer = trace.get_tracer("kit")
        with tracer.start_as_current_span("outer", attributes={"a": 1}) as outer:
            inner = EARLY.start_span("inner", attributes={"b": 2})
            inner.set_status(Status(StatusCode.ERROR, "why"))
            inner.end()
    first, second = kept.spans
    assert (first.name, first.attributes, first.parent, first.ended) == ("outer", {"a": 1}, None, 1)
    assert (second.name, second.attributes, second.status) == ("inner", {"b": 2}, StatusCode.ERROR)
    assert second.child_of(outer)
    assert "why" in second.text


def test_an_exception_is_kept_with_its_text() -> None:
    with (
        captured_spans() as kept,
        pytest.raises(RuntimeError),
        trace.get_tracer("kit").start_as_current_span("x"),
    ):
        raise RuntimeError("secret")
    (span,) = kept.named("x")
    assert span.ended == 1
    assert "secret" in span.text


def test_a_tracer_of_one_item_serves_the_next_one_and_nobody_in_between() -> None:
    with captured_spans() as first:
        tracer = trace.get_tracer("kept by a module")
    tracer.start_span("between").end()
    with captured_spans() as second:
        tracer.start_span("later").end()
    assert [span.name for span in first.spans] == []
    assert [span.name for span in second.spans] == ["later"]


def test_nothing_is_left_behind() -> None:
    before = trace.get_tracer_provider()
    with captured_spans():
        pass
    assert trace.get_tracer_provider() is before
    assert not trace.get_tracer("x").start_span("x").is_recording()
