"""Keeps what an item measures, without an OpenTelemetry SDK: names and attributes, which dashboards show to many."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from opentelemetry.metrics import (
    Counter,
    Histogram,
    Meter,
    MeterProvider,
    NoOpCounter,
    NoOpHistogram,
    NoOpMeter,
    NoOpUpDownCounter,
    UpDownCounter,
    _internal,
)

_PROVIDER = "_METER_PROVIDER"  # set for good by the public function, which is not for one item


class KeptMeasures(MeterProvider):
    """Every measurement of counters and histograms, as text.

    Attributes:
        lines: One for each, oldest first.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def get_meter(self, name: str, *args: Any, **kwargs: Any) -> Meter:
        return _KeepingMeter(name, self.lines)


class _KeepingMeter(NoOpMeter):
    def __init__(self, name: str, lines: list[str]) -> None:
        super().__init__(name)
        self._lines = lines

    def create_counter(self, name: str, *args: Any, **kwargs: Any) -> Counter:
        return _Counter(name, self._lines)

    def create_up_down_counter(self, name: str, *args: Any, **kwargs: Any) -> UpDownCounter:
        return _UpDownCounter(name, self._lines)

    def create_histogram(self, name: str, *args: Any, **kwargs: Any) -> Histogram:
        return _Histogram(name, self._lines)


class _Counter(NoOpCounter):
    def __init__(self, name: str, lines: list[str]) -> None:
        super().__init__(name)
        self._name, self._lines = name, lines

    def add(self, amount: float, attributes: Any = None, context: Any = None) -> None:
        self._lines.append(f"{self._name} {dict(attributes or {})}")


class _UpDownCounter(NoOpUpDownCounter):
    def __init__(self, name: str, lines: list[str]) -> None:
        super().__init__(name)
        self._name, self._lines = name, lines

    def add(self, amount: float, attributes: Any = None, context: Any = None) -> None:
        self._lines.append(f"{self._name} {dict(attributes or {})}")


class _Histogram(NoOpHistogram):
    def __init__(self, name: str, lines: list[str]) -> None:
        super().__init__(name)
        self._name, self._lines = name, lines

    def record(self, amount: float, attributes: Any = None, context: Any = None) -> None:
        self._lines.append(f"{self._name} {dict(attributes or {})}")


@contextmanager
def captured_measures() -> Generator[KeptMeasures]:
    """Keeps what instruments measure that are made inside the block."""
    kept, before = KeptMeasures(), getattr(_internal, _PROVIDER)
    setattr(_internal, _PROVIDER, kept)
    try:
        yield kept
    finally:
        setattr(_internal, _PROVIDER, before)
