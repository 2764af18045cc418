"""What is kept with an event beside its own fields: its turn's id, and the trace that brought it (contract 4.4, 18.1)."""

from __future__ import annotations

import msgspec
from opentelemetry import propagate
from opentelemetry.context import attach


class KeptContext(msgspec.Struct):
    """Fields of a stored event that the event itself does not read."""

    turn_id: str = ""
    trace: dict[str, str] = {}

    def go_on_in_trace(self) -> None:
        """Puts the current task, for good, into the trace of the request that brought the event."""
        if self.trace:
            attach(propagate.extract(self.trace))


def with_context(event: bytes, *, turn_id: str) -> bytes:
    """An encoded event with the id of its turn and the current trace beside its own fields."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    kept = msgspec.json.encode(KeptContext(turn_id, carrier))
    return event[:-1] + b"," + kept[1:]


def kept_context(event: str | bytes) -> KeptContext:
    """What was kept with an encoded event."""
    return msgspec.json.decode(event, type=KeptContext)
