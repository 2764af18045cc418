"""Splits the tables that keep growing into partitions, by a hash of what they are found by.

What the store says to them stays as it is: each of their keys holds the column that they are split by, and nothing is
looked for without it. The other tables hold one row per conversation, or only what is removed after days, and some have
more than one key; they stay whole.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import postgres

_SPLIT_BY: Mapping[str, str] = {
    "history": "id",
    "snapshots": "session_id",
    "session_states": "session_id",
    "run_events": "run_id",
}


def partition(schema: str, partitions: int) -> None:
    """Splits the tables of a schema that holds no rows yet.

    Args:
        schema: Opened by a store once, and by none now.
        partitions: Of each table.
    """
    parts = [f"SET client_min_messages = warning; SET search_path = {schema}"]
    keys = _keys(schema)
    foreign = [key for key in keys if key[2].startswith("FOREIGN KEY")]
    parts += [
        f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        for table, name, _, referred in foreign
        if {table, referred} & _SPLIT_BY.keys()
    ]
    for table, column in _SPLIT_BY.items():
        indexes = _indexes(schema, table)
        parts += [
            f"ALTER TABLE {table} RENAME TO whole_{table}",
            f"CREATE TABLE {table} (LIKE whole_{table} INCLUDING DEFAULTS) PARTITION BY HASH ({column})",
            f"DROP TABLE whole_{table}",
        ]
        parts += [
            f"CREATE TABLE {table}_{part} PARTITION OF {table} "
            f"FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
            for part in range(partitions)
        ]
        parts += [
            f"ALTER TABLE {table} ADD {text}" for of, _, text, _ in keys if of == table and "KEY" in text[:11]
        ]
        parts += indexes
    parts += [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}"
        for table, name, text, referred in foreign
        if {table, referred} & _SPLIT_BY.keys() and table not in _SPLIT_BY
    ]
    postgres.run("; ".join(parts))


def _keys(schema: str) -> list[tuple[str, str, str, str | None]]:
    """Each key: its table, its name, its text, and the table it refers to."""
    return postgres.run(
        f"""SELECT t.relname, c.conname, pg_get_constraintdef(c.oid), f.relname FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid LEFT JOIN pg_class f ON f.oid = c.confrelid
        WHERE c.connamespace = '{schema}'::regnamespace AND c.contype IN ('p', 'f', 'u')
        ORDER BY c.contype = 'f', c.conname"""
    )


def _indexes(schema: str, table: str) -> list[str]:
    """The texts of a table's indexes that belong to no key, for the table of that name."""
    found = postgres.run(
        f"""SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
        WHERE i.indrelid = '{schema}.{table}'::regclass
        AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid)"""
    )
    return [text for (text,) in found]
