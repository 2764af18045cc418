"""Is a simulator as strict as it says? Each of its refusals is provoked once (conformance kit 4.13, 4.14)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import httpx

from .behaviours import Behaviour


class Simulator(Protocol):
    """What a simulator must tell about itself."""

    def behaviours(self) -> Sequence[Behaviour]:
        """What it does and refuses."""
        ...

    @property
    def provoked(self) -> Mapping[str, int]:
        """How often each refusal happened, by its id."""
        ...


S = TypeVar("S", bound=Simulator)
Step = Callable[[S], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Provocation(Generic[S]):
    """How to be refused, written from the platform's documents and not from the simulator's settings.

    Args:
        code: The id of the refusal.
        provoke: Does what is refused and gives the answer.
        allowed: Does what is only just not refused; None: there is no such border.
    """

    code: str
    provoke: Step[S]
    allowed: Step[S] | None = None


async def dishonest(make: Callable[[], S], provocations: Iterable[Provocation[S]]) -> list[str]:
    """What a simulator lets through that it says it refuses, refuses otherwise, or refuses too early; and refusals
    that no provocation covers. An empty list is an honest simulator. Run it in virtual time: provocations may wait.

    Args:
        make: Makes a fresh one for each provocation.
        provocations: One for each refusal.
    """
    refusals = {found.id: found.refuses for found in make().behaviours() if found.refuses is not None}
    uncovered = set(refusals)
    faults: list[str] = []
    for provocation in provocations:
        code = provocation.code
        expected = refusals.get(code)
        uncovered.discard(code)
        simulator = make()
        status = (await provocation.provoke(simulator)).status_code
        if status != expected or code not in simulator.provoked:
            faults.append(f"{code}: found {status} {dict(simulator.provoked)}, expected {expected} {code}")
        if provocation.allowed is not None:
            simulator = make()
            status = (await provocation.allowed(simulator)).status_code
            if status >= 300:
                faults.append(f"{code}: found {status} {dict(simulator.provoked)} for what is just allowed")
    return faults + [f"{code}: no provocation" for code in sorted(uncovered)]
