"""The state store: one seam, its implementations, and the statements that callers put into units."""

from .base import HostStateStore, Row, Rows, Statement
from .errors import (
    StateConflict,
    StateCorrupt,
    StateDirInUse,
    StateError,
    StateOutcomeUnknown,
    StateTooNew,
    StateUnavailable,
    UnknownStatement,
)
from .expiry import sweep
from .folder import FolderHold
from .memory import InMemoryHostStateStore
from .paths import HostStatePaths, StatePlan, plan_state
from .postgres import PostgresHostStateStore
from .signals import StoreSignals, signal
from .sqlite import SqliteHostStateStore
from .statements import ping
from .sweeper import Sweeper
from .url import open_store

__all__ = [
    "FolderHold",
    "HostStatePaths",
    "HostStateStore",
    "InMemoryHostStateStore",
    "PostgresHostStateStore",
    "Row",
    "Rows",
    "SqliteHostStateStore",
    "StateConflict",
    "StateCorrupt",
    "StateDirInUse",
    "StateError",
    "StateOutcomeUnknown",
    "StatePlan",
    "StateTooNew",
    "StateUnavailable",
    "Statement",
    "StoreSignals",
    "Sweeper",
    "UnknownStatement",
    "open_store",
    "ping",
    "plan_state",
    "signal",
    "sweep",
]
