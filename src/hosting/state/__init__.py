"""The state store: one seam, its implementations, and the statements that callers put into units."""

from .base import HostStateStore, Row, Rows, Statement
from .errors import StateConflict, StateCorrupt, StateError, StateTooNew, StateUnavailable, UnknownStatement
from .expiry import sweep
from .memory import InMemoryHostStateStore
from .sqlite import SqliteHostStateStore
from .statements import ping
from .sweeper import Sweeper
from .url import open_store

__all__ = [
    "HostStateStore",
    "InMemoryHostStateStore",
    "Row",
    "Rows",
    "SqliteHostStateStore",
    "StateConflict",
    "StateCorrupt",
    "StateError",
    "StateTooNew",
    "StateUnavailable",
    "Statement",
    "Sweeper",
    "UnknownStatement",
    "open_store",
    "ping",
    "sweep",
]
