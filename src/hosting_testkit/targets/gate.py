"""Named points at which runs stop until the test releases them: concurrency is proved, never timed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from .agent import FakeAgent, Run, Updates


class NotReached(AssertionError):
    """Runs did not come to a point in time; the text says who came where."""


@dataclass(slots=True)
class _Point:
    arrived: int = 0
    waiting: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    moved: asyncio.Event = field(default_factory=asyncio.Event)


class Gates:
    """Points by name. A point stops everybody who comes to it until it is released, then nobody any more."""

    def __init__(self) -> None:
        self._points: defaultdict[str, _Point] = defaultdict(_Point)

    async def stop(self, name: str) -> None:
        """Called by the target: arrive at `name` and wait for its release."""
        point = self._points[name]
        point.arrived += 1
        point.waiting += 1
        point.moved.set()
        try:
            await point.released.wait()
        finally:
            point.waiting -= 1

    async def reached(self, name: str, times: int = 1, *, timeout: float | None = 5.0) -> None:
        """Waits until `times` runs in all have come to `name`, those that have left it again included.

        Args:
            name: The point.
            times: How many arrivals to wait for.
            timeout: Seconds of loop time; None waits for ever.

        Raises:
            NotReached: They did not come in time; says who came where.
        """
        point = self._points[name]
        try:
            async with asyncio.timeout(timeout):
                while point.arrived < times:
                    point.moved.clear()
                    await point.moved.wait()
        except TimeoutError:
            came = {name: point.arrived for name, point in self._points.items() if point.arrived}
            raise NotReached(
                f"{point.arrived} of {times} runs reached {name!r} in {timeout} s; arrivals: {came or 'none'}"
            ) from None

    def waiting(self, name: str) -> int:
        """How many runs stand at `name` now."""
        return self._points[name].waiting

    def release(self, name: str) -> None:
        """Lets through who stands at `name` and who comes later."""
        self._points[name].released.set()

    def release_all(self) -> None:
        """Releases every point that somebody has reached or named."""
        for point in self._points.values():
            point.released.set()


class Gate(FakeAgent):
    """An echo that stops, before its first update, at the point named by the text it was given.

    `await gate.reached("a")` says that a run which was told "a" is inside; `gate.release("a")` lets it answer.
    To stop elsewhere, script it: `Scripted("half", steps.Stop("middle"), "rest")`.
    """

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        await self.gates.stop(run.text)
        yield run.update(run.text)

    async def reached(self, name: str, times: int = 1, *, timeout: float | None = 5.0) -> None:
        """See `Gates.reached`."""
        await self.gates.reached(name, times, timeout=timeout)

    def waiting(self, name: str) -> int:
        """See `Gates.waiting`."""
        return self.gates.waiting(name)

    def release(self, name: str) -> None:
        """See `Gates.release`."""
        self.gates.release(name)
