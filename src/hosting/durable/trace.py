"""The trace that a task was scheduled in, kept until it runs (contract 18.1)."""

from __future__ import annotations

import json

from opentelemetry import propagate
from opentelemetry.context import attach


def current_trace() -> str | None:
    """The current trace context as JSON text, or None outside of one."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return json.dumps(carrier) if carrier else None


def go_on_in_trace(kept: str | None) -> None:
    """Puts the current task, for good, into the trace that `current_trace` kept; one that cannot be read is left out."""
    try:
        carrier: dict[str, str] = json.loads(kept) if kept else {}
        if carrier:
            attach(propagate.extract(carrier))
    except (ValueError, AttributeError):
        return
