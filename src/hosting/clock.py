"""Time as the host and its channels see it (contract 19.1)."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class TimeSource(Protocol):
    """Where time comes from; tests inject one that stands still."""

    def now(self) -> float:
        """Wall clock, in seconds since the epoch. For stored times and what people read."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards. For durations and expiry inside a process."""
        ...


class SystemTime:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def epoch_ms(clock: TimeSource) -> int:
    """The wall clock in whole milliseconds, as the state store keeps it."""
    return int(clock.now() * 1000)
