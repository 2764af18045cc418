"""The schema and its migrations, oldest first (contract 15.2).

A released migration is never edited: a change is a new entry at the end. The texts are portable but for `{serial}`, the
engine's own column type for a number that grows with each insert.

Times are epoch milliseconds, JSON is text, names compare as UTF-8 bytes (SQLite's default collation; `COLLATE "C"`
elsewhere). What can be large stands in a table of its own or is written once, so that rows which change stay small.
"""

from __future__ import annotations

from .migrations.first import FIRST
from .migrations.second import SECOND

_MIGRATIONS: tuple[tuple[str, ...], ...] = (FIRST, SECOND)

SCHEMA_VERSION = len(_MIGRATIONS)
"""The version that this release reads and writes."""


def migrations_after(version: int, *, serial: str) -> list[str]:
    """The DDL that brings a store from `version` (0 for an empty one) to `SCHEMA_VERSION`.

    Args:
        version: Version of the store as it is.
        serial: The engine's type for a primary key that grows with each insert.
    """
    return [text.replace("{serial}", serial) for migration in _MIGRATIONS[version:] for text in migration]
