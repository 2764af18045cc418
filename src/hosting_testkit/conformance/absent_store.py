"""A store in memory that can be out of reach for a while."""

from __future__ import annotations

from hosting import InMemoryHostStateStore
from hosting.state import Rows, Statement, StateUnavailable


class AbsentStore(InMemoryHostStateStore):
    """While `away` it refuses every unit, as a database does whose network failed (contract 4.3).

    Attributes:
        away: Set it.
    """

    inline = False

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    async def execute(self, *unit: Statement) -> list[Rows]:
        if self.away:
            raise StateUnavailable("the kit has taken the store away")
        return await super().execute(*unit)
