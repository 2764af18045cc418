"""All scenarios, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .scale import Scale
from .scenarios import (
    conversation_length,
    host_run,
    json_turn,
    round_robin,
    soak,
    sse_stream,
    stored_sessions,
)
from .stats import Row


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question.

    Args:
        title: What is measured.
        measure: Measures it.
    """

    title: str
    measure: Callable[[Scale], list[Row]]


SCENARIOS: Mapping[str, Scenario] = {
    "json-turn": Scenario(json_turn.TITLE, json_turn.measure),
    "sse-stream": Scenario(sse_stream.TITLE, sse_stream.measure),
    "round-robin": Scenario(round_robin.TITLE, round_robin.measure),
    "stored-sessions": Scenario(stored_sessions.TITLE, stored_sessions.measure),
    "conversation-length": Scenario(conversation_length.TITLE, conversation_length.measure),
    "soak": Scenario(soak.TITLE, soak.measure),
    "host-run": Scenario(host_run.TITLE, host_run.measure),
}
