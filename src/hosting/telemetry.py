"""One span per turn, a few counters, records without content (contract 18)."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, Status, StatusCode

if TYPE_CHECKING:
    from .turn.turn import Turn

_INSTRUMENT = "hosting"


class TurnTelemetry:
    """Spans, metrics and log records of one host; without an OpenTelemetry SDK spans and metrics are no-ops.

    Args:
        logger: Gets one record per turn.
        log_content: Whether the record also holds the person and what was said (contract 18.2).
    """

    def __init__(self, logger: logging.Logger, *, log_content: bool = False) -> None:
        self._log = logger
        self._log_content = log_content
        self._tracer = trace.get_tracer(_INSTRUMENT)
        meter = metrics.get_meter(_INSTRUMENT)
        self._turns = meter.create_counter("hosting.turns", description="Turns by channel and outcome")
        self._duration = meter.create_histogram(
            "hosting.turn.duration", unit="s", description="From request to commit"
        )

    def begin(self, turn: Turn) -> Span:
        """Starts the turn's span under the request's context."""
        return self._tracer.start_span(
            "hosting.turn",
            attributes={
                "hosting.channel": turn.entry.name,
                "hosting.operation": turn.request.operation,
                "hosting.turn_id": turn.id,
                "hosting.stream": turn.sink is not None,
            },
        )

    @contextmanager
    def around_run(self, turn: Turn) -> Generator[None]:
        """Makes the turn's span current where the target runs, so that the target's own nest under it.

        Also one that is not recorded: else what its caller chose not to sample would begin traces of its own.
        """
        span = turn.span
        if span is None or not span.get_span_context().is_valid:
            yield
            return
        with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield

    def end(self, turn: Turn, outcome: str, seconds: float) -> None:
        """Ends the span and counts the turn."""
        attributes: dict[str, Any] = {"hosting.channel": turn.entry.name, "hosting.outcome": outcome}
        self._turns.add(1, attributes)
        self._duration.record(seconds, attributes)
        span = turn.span
        if span is not None:
            span.set_attribute("hosting.outcome", outcome)
            if outcome == "failed":
                span.set_status(Status(StatusCode.ERROR))
            span.end()
        if self._log.isEnabledFor(logging.INFO):
            self._record(turn, outcome)

    def _record(self, turn: Turn, outcome: str) -> None:
        fields: dict[str, Any] = {
            "hosting_turn_id": turn.id,
            "hosting_channel": turn.entry.name,
            "hosting_outcome": outcome,
        }
        text, said = "turn %s on %s: %s", ()
        if self._log_content:
            identity = turn.request.identity
            fields["hosting_identity"] = identity.native_id if identity else None
            fields["hosting_input"] = _said(turn.request.input)
            fields["hosting_output"] = turn.result.text if turn.result else None
            text += "; %s said %r, heard %r"
            said = (fields["hosting_identity"], fields["hosting_input"], fields["hosting_output"])
        self._log.info(text, turn.id, turn.entry.name, outcome, *said, extra=fields)


def _said(value: Any) -> str:
    items: Sequence[Any] = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
    return "\n".join(str(getattr(item, "text", item)) for item in items)
