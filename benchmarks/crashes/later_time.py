"""The machine's clock, set to another hour."""

from __future__ import annotations

from hosting import SystemTime


class LaterTime(SystemTime):
    """The machine's clock, with the wall clock set ahead.

    Args:
        later: By how many seconds; may change.
    """

    def __init__(self, later: float = 0.0) -> None:
        self.later = later

    def now(self) -> float:
        return super().now() + self.later
