"""The kit keeps what is measured, and lets go of it afterwards."""

from __future__ import annotations

from opentelemetry import metrics

from hosting_testkit.conformance.measures import captured_measures


def test_measurements_are_kept_with_their_attributes() -> None:
    with captured_measures() as kept:
        meter = metrics.get_meter("kit")
        meter.create_counter("turns").add(1, {"channel": "a"})
        meter.create_up_down_counter("open").add(-1)
        meter.create_histogram("seconds").record(0.5, {"channel": "b"})
    assert kept.lines == ["turns {'channel': 'a'}", "open {}", "seconds {'channel': 'b'}"]


def test_nothing_is_left_behind() -> None:
    before = metrics.get_meter_provider()
    with captured_measures():
        assert metrics.get_meter_provider() is not before
    assert metrics.get_meter_provider() is before
