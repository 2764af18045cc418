"""Small JSON records of channels, ordered by key inside a namespace (contract 2.4, `state(namespace)`).

Keys compare as UTF-8 bytes. A record past its time is not read any more, whether or not the sweep has come by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base import Rows, Statement

_LIVE = "(expires_ms IS NULL OR expires_ms > :now)"
_SCAN = f"""SELECT key, value, updated_ms, expires_ms FROM records
    WHERE namespace = :namespace AND key >= :low AND key < :high AND {_LIVE}"""
_INSERT = """INSERT INTO records (namespace, key, value, updated_ms, expires_ms)
    VALUES (:namespace, :key, :value, :now, :expires)"""
_REPLACE = "SET value = excluded.value, updated_ms = excluded.updated_ms, expires_ms = excluded.expires_ms"

SQL: Mapping[str, str] = {
    "records.get": f"""SELECT key, value, updated_ms, expires_ms FROM records
        WHERE namespace = :namespace AND key = :key AND {_LIVE}""",
    "records.put": f"{_INSERT} ON CONFLICT (namespace, key) DO UPDATE {_REPLACE}",
    "records.add": f"""{_INSERT} ON CONFLICT (namespace, key) DO UPDATE {_REPLACE}
        WHERE records.expires_ms <= :now RETURNING key""",
    "records.delete": "DELETE FROM records WHERE namespace = :namespace AND key = :key",
    "records.scan_up": f"{_SCAN} ORDER BY key LIMIT :limit",
    "records.scan_down": f"{_SCAN} ORDER BY key DESC LIMIT :limit",
    "records.expire": """DELETE FROM records WHERE (namespace, key) IN (
        SELECT namespace, key FROM records WHERE expires_ms <= :now ORDER BY expires_ms LIMIT :limit {skip_locked})
        RETURNING 1""",
}

_FIRST_CHARACTER = "\x01"  # keys hold no NUL (contract 6.10)
_LAST_CHARACTER = "\U0010ffff"
_BEYOND_ALL_KEYS = _LAST_CHARACTER * 257
"""Sorts after every key of up to 1 KiB."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `value` is JSON text."""

    key: str
    value: str
    updated_ms: int
    expires_ms: int | None


def get_record(namespace: str, key: str, *, now_ms: int) -> Statement:
    """The record, unless it has expired; read the rows with `read_record`."""
    return Statement("records.get", {"namespace": namespace, "key": key, "now": now_ms})


def put_record(
    namespace: str, key: str, value: str, *, now_ms: int, expires_ms: int | None = None
) -> Statement:
    """Writes a record, new or not. `value` is JSON text; without `expires_ms` it is kept for good."""
    return Statement("records.put", _values(namespace, key, value, now_ms, expires_ms))


def add_record(
    namespace: str, key: str, value: str, *, now_ms: int, expires_ms: int | None = None
) -> Statement:
    """Writes a record if there is none that lives; returns a row if it did, none otherwise."""
    return Statement("records.add", _values(namespace, key, value, now_ms, expires_ms))


def delete_record(namespace: str, key: str) -> Statement:
    """Removes a record, if it is there."""
    return Statement("records.delete", {"namespace": namespace, "key": key})


def scan_records(
    namespace: str,
    *,
    prefix: str = "",
    after: str | None = None,
    limit: int,
    descending: bool = False,
    now_ms: int,
) -> Statement:
    """Up to `limit` records whose key begins with `prefix`, in key order; read the rows with `read_records`.

    Args:
        namespace: Where to look.
        prefix: What the keys begin with.
        after: Key of the last record of the page before; None begins at the end that the direction names.
        limit: Most records to return.
        descending: From the last key to the first.
        now_ms: Records that have expired by then are left out.
    """
    low, high = prefix, _end_of(prefix)
    if after is not None and descending:
        high = min(high, after)
    elif after is not None:
        low = max(low, after + _FIRST_CHARACTER)
    params = {"namespace": namespace, "low": low, "high": high, "now": now_ms, "limit": limit}
    return Statement("records.scan_down" if descending else "records.scan_up", params)


def expire_records(now_ms: int, limit: int) -> Statement:
    """Removes up to `limit` records past their time."""
    return Statement("records.expire", {"now": now_ms, "limit": limit})


def read_record(rows: Rows) -> Record | None:
    """The one record of `get_record`, or None."""
    return Record(*rows[0]) if rows else None


def read_records(rows: Rows) -> list[Record]:
    """The records of `scan_records`, in its order."""
    return [Record(*row) for row in rows]


def _values(
    namespace: str, key: str, value: str, now_ms: int, expires_ms: int | None
) -> dict[str, str | int | None]:
    return {"namespace": namespace, "key": key, "value": value, "now": now_ms, "expires": expires_ms}


def _end_of(prefix: str) -> str:
    """The least text that sorts after all that begin with `prefix`."""
    stem = prefix.rstrip(_LAST_CHARACTER)
    if not stem:
        return _BEYOND_ALL_KEYS
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)  # surrogates are no characters
