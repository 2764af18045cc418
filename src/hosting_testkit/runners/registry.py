"""The checks of the suite, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .harness import RunnerHarness, opened

Body = Callable[[RunnerHarness], Awaitable[None]]


class NotApplicable(Exception):
    """The back end cannot do what the check is about, and need not: no other process can share it, for one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of a runner.

    Args:
        name: Short, unique.
        clause: The clause of the contract, or the decision, that it stands for.
        body: Raises `AssertionError` where the promise is broken.
        kills: Whether it needs a process that it can kill.
    """

    name: str
    clause: str
    body: Body
    kills: bool = False

    async def run(self, harness: RunnerHarness) -> None:
        """Runs the check on an empty back end.

        Raises:
            AssertionError: The runner breaks the promise.
            NotApplicable: The back end cannot be asked.
        """
        async with opened(harness):
            await self.body(harness)


CHECKS: dict[str, Check] = {}
"""Every check by name; complete once `hosting_testkit.runners` was imported."""


def check(clause: str, *, kills: bool = False) -> Callable[[Body], Body]:
    """Adds a coroutine function to the suite, under its own name."""

    def add(body: Body) -> Body:
        name = getattr(body, "__name__", "")
        assert name and name not in CHECKS, f"a second check is named {name!r}"
        CHECKS[name] = Check(name, clause, body, kills)
        return body

    return add
