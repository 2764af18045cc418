"""One state that several hosts share, each over a line of its own that can be cut."""

from __future__ import annotations

from hosting import InMemoryHostStateStore
from hosting.state import Statement, StateUnavailable
from hosting.state.base import Rows


class Line:
    """A host's own way to a shared state; counts as durable, for its rows outlive each host.

    Args:
        state: Opened by the test and kept by it.
    """

    durable = True
    inline = True
    exclusive = False

    def __init__(self, state: InMemoryHostStateStore) -> None:
        self._state = state
        self.cut = False

    def describe(self) -> str:
        return "a shared state"

    async def open(self) -> None:
        await self._state.open()

    async def close(self) -> None:
        return

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self.cut:
            raise StateUnavailable("the line is cut")
        return await self._state.execute(*unit)
