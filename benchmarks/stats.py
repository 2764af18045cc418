"""What was measured, and how two sides compare."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity, read once per round.

    Args:
        values: The readings, at least one, in order.
    """

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)

    @property
    def most(self) -> float:
        return max(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a report: a quantity of the host beside the same quantity of something else.

    Args:
        case: Under which circumstances.
        unit: What was counted, for example `turns/s` or `CPU us/turn`.
        host: The host's readings.
        other: The other side's, read in turn with the host's.
        beside: What the other side is.
        more_is_better: Whether a greater reading is the better one.
        target: The ratio that the project wants to reach, if it has set one.
        note: What a reader has to know beside it.
    """

    case: str
    unit: str
    host: Series
    other: Series
    beside: str
    more_is_better: bool = False
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """How good the host is as a share of the other side: 1.0 is level, 0.5 costs twice as much."""
        return self._share(self.host.median, self.other.median)

    @property
    def ratios(self) -> Series:
        """The same, round by round; neighbours in time share the noise of the machine."""
        return Series([*self._round_by_round()])

    def _round_by_round(self) -> Iterator[float]:
        for ours, theirs in zip(self.host.values, self.other.values, strict=False):
            yield self._share(ours, theirs)

    def _share(self, ours: float, theirs: float) -> float:
        above, below = (ours, theirs) if self.more_is_better else (theirs, ours)
        return above / below if below else 0.0
