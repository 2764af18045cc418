"""What a state store raises.

    StateError                 500    a statement failed for a reason that is a defect
    |-- UnknownStatement              no statement of that name
    |-- StateUnavailable       503    locked, disk full, closed: the same unit may succeed later
    |   |-- StateOutcomeUnknown       the answer to a commit was lost: the unit may have been kept
    |   `-- StateDirInUse             another process holds the folder
    |-- StateConflict          409    a statement changed or returned another number of rows than it must
    |-- StateCorrupt                  the file is damaged, or is not a state store
    `-- StateTooNew                   a newer release wrote the store

`message` stays safe for clients (contract 14.2); `detail`, which is also `str(error)`, is for the operator.
"""

from __future__ import annotations

from ..errors import HostingError


class StateError(HostingError):
    """The store failed.

    Args:
        detail: For logs: what was found, what was expected, the fix. Never sent to a client.
        retry_after: Seconds after which trying again makes sense.
    """

    client_message = "The state store failed."

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(self.client_message, retry_after=retry_after)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class UnknownStatement(StateError):
    """A unit names a statement that the table of statements does not hold."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"unknown statement {name!r}: build statements with the functions of hosting.state.tables"
        )


class StateUnavailable(StateError):
    """The store cannot be reached now, and may be later (contract 4.3).

    Nothing of the unit was kept, and it may be tried again, unless this is a `StateOutcomeUnknown`.
    """

    status = 503
    code = "not_ready"
    client_message = "The state store cannot be reached."

    def __init__(self, detail: str, *, retry_after: float | None = 1.0) -> None:
        super().__init__(detail, retry_after=retry_after)


class StateOutcomeUnknown(StateUnavailable):
    """The connection broke while the unit was being committed: it was kept whole or not at all (contract 4.4).

    Nobody repeats it blindly: who needs to know reads.
    """


class StateDirInUse(StateUnavailable):
    """Another process holds the folder of a `state_dir`; the error names it (contract 15.3)."""

    client_message = "The server cannot start."


class StateConflict(StateError):
    """A statement found other rows than it must; the whole unit was rolled back.

    Args:
        statement: Name of the statement.
        detail: What was found and what was expected.
    """

    status = 409
    code = "state_conflict"
    client_message = "The stored state was changed by someone else."

    def __init__(self, statement: str, detail: str) -> None:
        super().__init__(f"{statement}: {detail}")
        self.statement = statement


class StateCorrupt(StateError):
    """The store is damaged or is not ours; it is left as it was found (contract 15.4)."""


class StateTooNew(StateError):
    """The store has a newer schema than this release knows; it is left as it was found (contract 15.2)."""
