"""Where a process dies: before or after a step that others can see, a unit of the store or a call to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hosting import InMemoryHostStateStore
from hosting.state import Statement

from .kept import KeptOutcomes
from .process import Process, ProcessKilled

When = Literal["before", "after"]
TakesOver = Literal["at once", "after the lease"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the hosts of a run.

    Args:
        kind: `unit` of the store, or `call` to the network.
        what: The statements of the unit, or method and path of the call.
    """

    kind: Literal["unit", "call"]
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """One death.

    Args:
        step: Number of the step, from 1, over all lives of the run.
        when: `before` the unit is kept or the call leaves; `after` it was kept or answered, but before the caller learns it.
    """

    step: int
    when: When


class CrashPlan:
    """Where the processes of one run die; keeps the rows that outlive them, and what happened.

    Args:
        crashes: Where they die; at other times they are killed with `CrashingHost.crash`.
        takes_over: `at once`: as on a `state_dir`, whose next process knows that the one before is gone; `after the lease`:
            as on a store that hosts share, where nobody knows.

    Attributes:
        steps: What was done, in order.
        deaths: How often a planned crash came.
        kept: What the rows say of the outcome.
    """

    def __init__(self, *crashes: CrashPoint, takes_over: TakesOver = "at once") -> None:
        self.takes_over: TakesOver = takes_over
        self.crashes = frozenset(crashes)
        self.steps: list[Step] = []
        self.deaths = 0
        self.kept = KeptOutcomes()
        self.rows = InMemoryHostStateStore()

    def begin(self, process: Process, step: Step) -> int:
        """Counts a step that is about to be done; its number.

        Raises:
            ProcessKilled: The process is dead, or dies here.
        """
        process.check()
        self.steps.append(step)
        number = len(self.steps)
        self._die(process, CrashPoint(number, "before"))
        return number

    def end(self, process: Process, number: int) -> None:
        """The step was done; its caller has not learned it.

        Raises:
            ProcessKilled: The process is dead, or dies here.
        """
        process.check()
        self._die(process, CrashPoint(number, "after"))

    def _die(self, process: Process, point: CrashPoint) -> None:
        if point in self.crashes:
            self.deaths += 1
            process.kill()
            raise ProcessKilled


def unit_step(unit: Sequence[Statement]) -> Step:
    """The step of a unit."""
    return Step("unit", ", ".join(statement.name for statement in unit))
