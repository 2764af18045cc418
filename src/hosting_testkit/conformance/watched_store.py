"""A store in memory that tells the event log what is written, so that a rule can see effects before a refusal."""

from __future__ import annotations

from hosting import InMemoryHostStateStore
from hosting.state import Rows, Statement

from .events import EventLog

_READS = ("load", "get", "scan", "next", "ping")
_HOUSEKEEPING = ("expire", "release_expired", "keep_rest", "bury", "requeue", "drop_end")


class WatchedStore(InMemoryHostStateStore):
    """Logs `store` with the names of what each unit writes; what the host does by itself is left out.

    Args:
        log: Where to.
    """

    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    async def execute(self, *unit: Statement) -> list[Rows]:
        written = [statement.name for statement in unit if _writes(statement.name)]
        if written:
            self._log.add("store", ", ".join(written))
        return await super().execute(*unit)


def _writes(name: str) -> bool:
    verb = name.partition(".")[2]
    return not verb.startswith((*_READS, *_HOUSEKEEPING))
