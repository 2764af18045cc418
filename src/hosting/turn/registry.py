"""The turns that run in this process, found by what others know of them (contract 6.8, 1.7)."""

from __future__ import annotations

from collections.abc import Iterator

from .turn import CancelReason, Turn


class RunningTurns:
    """Turns between their first step and their last, by the id they answer under."""

    def __init__(self) -> None:
        self._by_response: dict[str, Turn] = {}
        self._unwanted: dict[str, CancelReason] = {}

    def __iter__(self) -> Iterator[Turn]:
        return iter(list(self._by_response.values()))

    def __len__(self) -> int:
        return len(self._by_response)

    def add(self, turn: Turn) -> None:
        self._by_response[turn.response_id] = turn
        reason = self._unwanted.pop(turn.response_id, None)
        if reason is not None:
            turn.cancel(reason)

    def cancel_on_arrival(self, response_id: str, reason: CancelReason) -> None:
        """Cancels a turn that may be on its way: its work was taken, and it has not begun."""
        self._unwanted[response_id] = reason

    def let_come(self, response_id: str) -> None:
        """Ends that."""
        self._unwanted.pop(response_id, None)

    def remove(self, turn: Turn) -> None:
        self._by_response.pop(turn.response_id, None)

    def give_up(self) -> None:
        """Others may take over what this host holds: its turns end here, and save nothing (contract 6.7)."""
        for turn in self:
            turn.cancel("lease_lost")

    def find(self, response_id: str) -> Turn | None:
        return self._by_response.get(response_id)
