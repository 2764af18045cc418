"""A tracer provider that keeps what it was told; the SDK is no dependency of the project."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TracerProvider,
)
from opentelemetry.util.types import AttributeValue


class KeptSpan(Span):
    """A span in memory.

    Attributes:
        name: Its name.
        parent: Context of the span that it nests under, or None for a root.
        attributes: What was set.
        status: The last status set.
        ended: How often it was ended.
    """

    def __init__(self, name: str, context: SpanContext, parent: SpanContext | None) -> None:
        self.name, self.context, self.parent = name, context, parent
        self.attributes: dict[str, AttributeValue] = {}
        self.status: StatusCode = StatusCode.UNSET
        self.ended = 0

    def get_span_context(self) -> SpanContext:
        return self.context

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self.attributes.update(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.attributes[key] = value

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        return

    def update_name(self, name: str) -> None:
        self.name = name

    def is_recording(self) -> bool:
        return not self.ended

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self.status = status.status_code if isinstance(status, Status) else status

    def record_exception(self, exception: BaseException, *args: Any, **kwargs: Any) -> None:
        return

    def end(self, end_time: int | None = None) -> None:
        self.ended += 1


class KeepingTracer(Tracer, TracerProvider):
    """Keeps every span; like a parent-based sampler it drops those under a parent that is not sampled."""

    def __init__(self) -> None:
        self.spans: list[KeptSpan] = []
        self._numbers = itertools.count(1)

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        return self

    def start_span(self, name: str, context: Context | None = None, **kwargs: Any) -> Span:
        parent = trace.get_current_span(context).get_span_context()
        number = next(self._numbers)
        sampled = not parent.is_valid or parent.trace_flags.sampled
        own = SpanContext(
            parent.trace_id if parent.is_valid else number,
            number,
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT),
        )
        if not sampled:
            return NonRecordingSpan(own)
        span = KeptSpan(name, own, parent if parent.is_valid else None)
        span.set_attributes(kwargs.get("attributes") or {})
        self.spans.append(span)
        return span

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Iterator[Span]:
        span = self.start_span(name, kwargs.get("context"), attributes=kwargs.get("attributes"))
        with trace.use_span(span, end_on_exit=kwargs.get("end_on_exit", True)):
            yield span

    def named(self, name: str) -> list[KeptSpan]:
        """The spans whose name begins so, oldest first."""
        return [span for span in self.spans if span.name.startswith(name)]
