"""All scenarios, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .postgres import left_out
from .scale import Scale
from .scenarios import (
    conversation_length,
    database_size,
    durable_turn,
    history_provider,
    host_run,
    json_turn,
    rough_soak,
    round_robin,
    soak,
    sse_stream,
    store_operations,
    stored_sessions,
)
from .stats import Row


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question.

    Args:
        title: What is measured.
        measure: Measures it.
        on_postgres: Whether it measures PostgreSQL, too, where it answers.
        by_name: Whether it runs only where it is named: it takes long.
    """

    title: str
    measure: Callable[[Scale], list[Row]]
    on_postgres: bool = False
    by_name: bool = False

    @property
    def left_out(self) -> str:
        """What it could not measure here, and why; "" for nothing."""
        return left_out() if self.on_postgres else ""


SCENARIOS: Mapping[str, Scenario] = {
    "json-turn": Scenario(json_turn.TITLE, json_turn.measure),
    "sse-stream": Scenario(sse_stream.TITLE, sse_stream.measure),
    "round-robin": Scenario(round_robin.TITLE, round_robin.measure),
    "durable-turn": Scenario(durable_turn.TITLE, durable_turn.measure, on_postgres=True),
    "store-operations": Scenario(store_operations.TITLE, store_operations.measure, on_postgres=True),
    "stored-sessions": Scenario(stored_sessions.TITLE, stored_sessions.measure, on_postgres=True),
    "conversation-length": Scenario(conversation_length.TITLE, conversation_length.measure),
    "history-provider": Scenario(history_provider.TITLE, history_provider.measure, on_postgres=True),
    "database-size": Scenario(database_size.TITLE, database_size.measure, on_postgres=True),
    "soak": Scenario(soak.TITLE, soak.measure),
    "host-run": Scenario(host_run.TITLE, host_run.measure),
    "soak-faults": Scenario(rough_soak.TITLE, rough_soak.measure, on_postgres=True, by_name=True),
}


def everyday() -> Sequence[str]:
    """The names of those that run where none is named."""
    return [name for name, scenario in SCENARIOS.items() if not scenario.by_name]
