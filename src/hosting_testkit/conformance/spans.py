"""Keeps the spans of an item, without an OpenTelemetry SDK: core brings the API alone."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags, Tracer, TracerProvider
from opentelemetry.util.types import AttributeValue

_PROVIDER = "_TRACER_PROVIDER"  # set for good by the public function, which is not for one item


class KeptSpan(Span):
    """A span in memory.

    Attributes:
        name: Its name.
        parent: The span that it nests under, in this process or in the caller's, or None.
        attributes: What was set.
        events: Name and attributes of what was added to it.
        status: The last one set.
        description: What came with the status.
        ended: How often it was ended.
    """

    def __init__(self, name: str, context: SpanContext, parent: SpanContext | None) -> None:
        self.name = name
        self.parent = parent
        self.attributes: dict[str, AttributeValue] = {}
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.status: StatusCode = StatusCode.UNSET
        self.description = ""
        self.ended = 0
        self._context = context

    def get_span_context(self) -> SpanContext:
        return self._context

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self.attributes.update(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.attributes[key] = value

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        self.events.append((name, dict(attributes or {})))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        return

    def update_name(self, name: str) -> None:
        self.name = name

    def is_recording(self) -> bool:
        return not self.ended

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        if isinstance(status, Status):
            status, description = status.status_code, status.description
        self.status, self.description = status, description or ""

    def record_exception(self, exception: BaseException, *args: Any, **kwargs: Any) -> None:
        self.events.append(("exception", {"exception.message": str(exception)}))

    def end(self, end_time: int | None = None) -> None:
        self.ended += 1

    def child_of(self, other: Span) -> bool:
        """It nests directly under `other`."""
        return self.parent is not None and self.parent.span_id == other.get_span_context().span_id

    @property
    def text(self) -> str:
        """All that it tells."""
        return " ".join(map(str, (self.name, self.attributes, self.events, self.description)))


class KeptSpans(TracerProvider):
    """Every span of an item, oldest first."""

    def __init__(self) -> None:
        self.spans: list[KeptSpan] = []
        self._numbers = itertools.count(1)

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        return _Keeper(args, kwargs)

    def named(self, name: str) -> Sequence[KeptSpan]:
        """The spans of that name."""
        return [span for span in self.spans if span.name == name]

    def begin(self, name: str, context: Context | None, attributes: Any) -> Span:
        """A new span under the current one."""
        parent = trace.get_current_span(context).get_span_context()
        number = next(self._numbers)
        trace_id = parent.trace_id if parent.is_valid else number
        own = SpanContext(trace_id, number, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        span = KeptSpan(name, own, parent if parent.is_valid else None)
        span.set_attributes(attributes or {})
        self.spans.append(span)
        return span


class _Keeper(Tracer):
    """Keeps while its item runs; afterwards it is a tracer of whoever provides them then.

    A module may have got its tracer in one item, and keeps it for the life of the process.
    """

    def __init__(self, names: Sequence[Any], options: Mapping[str, Any]) -> None:
        self._names, self._options = names, options

    def start_span(self, name: str, context: Context | None = None, *args: Any, **kwargs: Any) -> Span:
        provider = trace.get_tracer_provider()
        if isinstance(provider, KeptSpans):
            attributes = kwargs.get("attributes", args[1] if len(args) > 1 else None)
            return provider.begin(name, context, attributes)
        return provider.get_tracer(*self._names, **self._options).start_span(name, context, *args, **kwargs)

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Generator[Span]:  # pyright: ignore[reportIncompatibleMethodOverride]
        use = {key: kwargs.pop(key) for key in _USE if key in kwargs}
        span = self.start_span(name, *args, **kwargs)
        with trace.use_span(span, **{"end_on_exit": True, **use}):
            yield span


_USE = ("record_exception", "set_status_on_exception", "end_on_exit")


@contextmanager
def captured_spans() -> Generator[KeptSpans]:
    """Keeps all spans that begin inside the block.

    Spans of tracers that a real SDK gave out before are not seen; those of the API's own placeholders are.
    """
    kept, before = KeptSpans(), cast("TracerProvider | None", getattr(trace, _PROVIDER))
    setattr(trace, _PROVIDER, kept)
    try:
        yield kept
    finally:
        setattr(trace, _PROVIDER, before)
