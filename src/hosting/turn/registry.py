"""The turns that run in this process, found by what others know of them (contract 6.8, 1.7)."""

from __future__ import annotations

from collections.abc import Iterator

from .turn import Turn


class RunningTurns:
    """Turns between their first step and their last, by the id they answer under."""

    def __init__(self) -> None:
        self._by_response: dict[str, Turn] = {}

    def __iter__(self) -> Iterator[Turn]:
        return iter(list(self._by_response.values()))

    def __len__(self) -> int:
        return len(self._by_response)

    def add(self, turn: Turn) -> None:
        self._by_response[turn.response_id] = turn

    def remove(self, turn: Turn) -> None:
        self._by_response.pop(turn.response_id, None)

    def find(self, response_id: str) -> Turn | None:
        return self._by_response.get(response_id)
