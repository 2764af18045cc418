"""How long to wait before a worker that died is replaced."""

from __future__ import annotations

_STEADY = 60.0
"""Seconds after which a worker that dies counts as one that had worked."""

_FIRST, _LONGEST = 1.0, 30.0

_DOUBLINGS = 5
"""How often a pause doubles until it is longer than the longest; more of them would be too much for a float one day."""


class BackOff:
    """Pauses of one worker's place: none after a worker that had worked, then doubled with each quick death."""

    def __init__(self) -> None:
        self._quick_deaths = 0

    def pause(self, lived: float) -> float:
        """Seconds to wait after a worker that lived that many seconds."""
        if lived >= _STEADY:
            self._quick_deaths = 0
        self._quick_deaths += 1
        if self._quick_deaths == 1:
            return 0.0
        return min(_LONGEST, _FIRST * 2 ** min(self._quick_deaths - 2, _DOUBLINGS))
