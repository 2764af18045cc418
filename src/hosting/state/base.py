"""The host's state store as the host sees it (contract 15.1).

A store runs units. A unit is a list of named statements that is kept whole or not at all; nobody outside a store sees
a cursor, a connection or SQL. So a store may commit several units at once, or send a unit in one round trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Row = tuple[Any, ...]
"""One row, in the column order of its statement."""

Rows = list[Row]
"""What one statement returned; empty for a statement that returns no rows."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement of a unit, made by a function of `hosting.state.tables`.

    Args:
        name: Name in the table of statements, such as `sessions.load`.
        params: Value of each `:name` in its text.
        expect: Rows that it must return, or change where it returns none; None leaves that open.
    """

    name: str
    params: Mapping[str, Any]
    expect: int | None = None


@runtime_checkable
class HostStateStore(Protocol):
    """Keeps the host's state; every implementation passes one conformance suite (contract 15.1).

    Open it before the first unit and close it after the last. Both may be repeated. It serves callers of any event loop of
    the process. The suite is `hosting_testkit.stores`.

    What a store may also have, all optional: `subscribe` (`StoreSignals`); `exclusive`, True where no other host can use the
    same state at the same time; `companion()`, the same state over connections of its own, so that a lease is renewed however
    busy the store is; `hand_over()`, called when draining begins.
    """

    @property
    def durable(self) -> bool:
        """Whether what was committed survives the process."""
        ...

    @property
    def inline(self) -> bool:
        """Whether `execute` never suspends, so that nothing can come between a unit and its caller."""
        ...

    def describe(self) -> str:
        """The store in a few words for the start line; no folder, no secret (contract 1.9)."""
        ...

    async def open(self) -> None:
        """Connect and bring the schema up to date.

        Raises:
            StateUnavailable: The store cannot be reached.
            StateCorrupt: It is damaged, or is not a state store; it was not touched.
            StateTooNew: It was written by a newer release; it was not touched.
        """
        ...

    async def close(self) -> None:
        """Finish the units under way and let go of every thread, socket and file."""
        ...

    async def execute(self, *unit: Statement) -> list[Rows]:
        """Run `unit` as one transaction and return the rows of each statement, in order.

        Units are serializable, and one that returned is committed: a unit that begins afterwards sees it. Units that did
        not wait for each other may take effect in either order. When the caller is cancelled while it waits, the unit may
        be committed all the same.

        Raises:
            StateConflict: A statement missed its `expect`, or broke a constraint; nothing of the unit was kept.
            StateUnavailable: The store is locked, full, not open or cannot be reached; nothing of the unit was kept.
            StateOutcomeUnknown: The store went away during the commit: the unit was kept whole or not at all. It is not
                repeated; whoever must know reads again, and may find it committed.
            UnknownStatement: A name is not in the table of statements.
        """
        ...
