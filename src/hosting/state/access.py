"""A channel's own records, as `ChannelContext.state` gives them (contract 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..clock import TimeSource, epoch_ms
from ..results import StateWrite
from .base import HostStateStore, Statement
from .tables import records

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class RecordState:
    """JSON records of one namespace.

    Args:
        store: The host's store.
        namespace: Whose records these are.
        clock: For expiry.
    """

    def __init__(self, store: HostStateStore, namespace: str, clock: TimeSource) -> None:
        self._store = store
        self._namespace = namespace
        self._clock = clock

    async def get(self, key: str) -> Any | None:
        """The record, or None."""
        get = records.get_record(self._namespace, key, now_ms=epoch_ms(self._clock))
        record = records.read_record((await self._store.execute(get))[0])
        return None if record is None else _decode(record.value)

    async def put(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        """Writes the record, for `ttl` seconds or for good."""
        await self.write([StateWrite(key, value, ttl)])

    async def delete(self, key: str) -> bool:
        """Removes the record; True if there was one."""
        now = epoch_ms(self._clock)
        before, _ = await self._store.execute(
            records.get_record(self._namespace, key, now_ms=now), records.delete_record(self._namespace, key)
        )
        return bool(before)

    async def scan(
        self, prefix: str, *, after: str | None = None, limit: int = 100, descending: bool = False
    ) -> Sequence[tuple[str, Any]]:
        """Records whose key starts with `prefix`, in key order, behind the key `after`."""
        scan = records.scan_records(
            self._namespace,
            prefix=prefix,
            after=after,
            limit=limit,
            descending=descending,
            now_ms=epoch_ms(self._clock),
        )
        found = records.read_records((await self._store.execute(scan))[0])
        return [(record.key, _decode(record.value)) for record in found]

    async def write(self, writes: Sequence[StateWrite]) -> None:
        """All `writes` in one transaction."""
        await self._store.execute(*record_statements(self._namespace, writes, now_ms=epoch_ms(self._clock)))


def record_statements(namespace: str, writes: Sequence[StateWrite], *, now_ms: int) -> list[Statement]:
    """The statements of a channel's writes, for a unit of one's own."""
    return [_statement(namespace, write, now_ms) for write in writes]


def _statement(namespace: str, write: StateWrite, now_ms: int) -> Statement:
    if write.value is None:
        return records.delete_record(namespace, write.key)
    expires = None if write.ttl is None else now_ms + int(write.ttl * 1000)
    text = _encode(write.value).decode()
    return records.put_record(namespace, write.key, text, now_ms=now_ms, expires_ms=expires)
