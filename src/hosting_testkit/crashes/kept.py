"""What the rows of a store say of events, turns and deliveries, read off the units that were kept."""

from __future__ import annotations

from collections.abc import Sequence

from hosting.state import Rows, Statement


class KeptOutcomes:
    """What became of everything that hosts accepted.

    Attributes:
        events: How each accepted event ended, by its place in claim order; None while it is open.
        turns: Status and error code of each ended turn, by its id.
        deliveries: How each reply ended, by its id; None while it is open.
        begun: What was shown of the reply to an event before its end: JSON list of native ids, `[]` where none is known.
    """

    def __init__(self) -> None:
        self.events: dict[int, str | None] = {}
        self.turns: dict[str, tuple[str, str | None]] = {}
        self.deliveries: dict[str, str | None] = {}
        self.begun: dict[int, str] = {}

    def see(self, unit: Sequence[Statement], rows: Sequence[Rows]) -> None:
        """Notes a unit that was kept."""
        for statement, returned in zip(unit, rows, strict=True):
            self._see(statement, returned)

    def _see(self, statement: Statement, returned: Rows) -> None:
        params = statement.params
        match statement.name:
            case "events.claim" if returned:
                self.events[returned[0][0]] = None
            case "events.end":
                self.events[params["seq"]] = params["state"]
            case "events.mark_seen":
                self.begun[params["seq"]] = params["seen"]
            case "turns.finish" | "turns.add_ended":
                self.turns[params["turn_id"]] = params["status"], params["error_code"]
            case "outbox.add":
                self.deliveries[params["id"]] = None
            case "outbox.end":
                self.deliveries[params["id"]] = params["state"]
            case _:
                return

    @property
    def open(self) -> list[str]:
        """Accepted events and replies that have not ended."""
        events = [f"event {seq}" for seq, state in self.events.items() if state is None]
        return events + [f"delivery {id}" for id, state in self.deliveries.items() if state is None]

    @property
    def recorded(self) -> frozenset[str]:
        """Reasons on record why a person may have seen no reply: `unknown`, `dead`, or the code of a failed turn."""
        found = {str(state) for state in self.deliveries.values() if state in ("unknown", "dead")}
        found |= {state for state in self.events.values() if state == "dead"}
        found |= {code or status for status, code in self.turns.values() if status == "failed"}
        return frozenset(found)

    @property
    def left_a_part(self) -> bool:
        """Whether a crash may have left a part of a reply that no later process can find: its id never came back."""
        return "interrupted" in self.recorded and "[]" in self.begun.values()
