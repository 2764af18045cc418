"""`PostgresHostStateStore`: the state of hosts on several machines (contract 15.1, decision S1)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ChannelConfigurationError
from ..base import Rows, Statement

if TYPE_CHECKING:
    from .engine import Engine

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,47}\Z")


class _Options(NamedTuple):
    url: str
    schema: str
    pool_size: int
    prepare: bool
    listen_url: str | None
    timeout: float

    def __repr__(self) -> str:
        return f"<options of schema {self.schema}>"  # the addresses hold passwords


class PostgresHostStateStore:
    """Keeps the host's state in a schema of a PostgreSQL database, which any number of hosts may share.

    A unit is one transaction and, as a rule, one round trip. What `execute` returned is on the server's disk. After an
    outage the store works again by itself.

    Args:
        url: `postgresql://user:password@host:5432/database`, with any parameter that PostgreSQL's library knows, such as
            `sslmode` or several hosts.
        schema: Where its tables are; hosts that shall share nothing take different ones.
        pool_size: Most connections for units. One more may listen for signals.
        prepare: Whether statements are prepared on the server. False behind a pooler that changes connections between
            transactions; signals of other processes are then heard only with `listen_url`.
        listen_url: Where to listen for signals, if not at `url`: the server itself, past a pooler.
        timeout: Seconds to wait for a free connection, and for an answer.

    Raises:
        ChannelConfigurationError: psycopg is not installed, or an argument does not fit.
    """

    durable = True
    inline = False
    exclusive = False

    def __init__(
        self,
        url: str,
        *,
        schema: str = "hosting",
        pool_size: int = 10,
        prepare: bool = True,
        listen_url: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        _check(schema, pool_size)

        self._options = _Options(url, schema, pool_size, prepare, listen_url, timeout)
        self._engine = _engine_class()(*self._options)

    @property
    def signals_between_processes(self) -> bool:
        """False behind a pooler without `listen_url`."""
        return self._engine.listens

    def companion(self) -> PostgresHostStateStore:
        """The same state over one more connection, which no unit of this store can keep busy; the caller closes it."""
        url, schema, _, prepare, listen_url, timeout = self._options
        return PostgresHostStateStore(
            url, schema=schema, pool_size=1, prepare=prepare, listen_url=listen_url, timeout=timeout
        )

    def describe(self) -> str:
        return self._engine.place

    async def schema_version(self) -> int:
        """The version of the schema as it is, 0 where there is none; the store need not be open. Changes nothing."""
        return await self._engine.version()

    async def open(self) -> None:
        await self._engine.open()

    async def close(self) -> None:
        await self._engine.close()

    async def execute(self, *unit: Statement) -> list[Rows]:
        return await self._engine.execute(unit)

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        return self._engine.subscribe(topic, event)


def _check(schema: str, pool_size: int) -> None:
    if not _SCHEMA.match(schema):
        raise ChannelConfigurationError(
            f"found the schema {schema!r}, expected 1 to 48 of a-z, 0-9 and '_', a letter first",
            field="state",
        )
    if pool_size < 1:
        raise ChannelConfigurationError(
            f"found pool_size={pool_size}, expected at least 1 connection", field="state"
        )


def _engine_class() -> type[Engine]:
    try:
        from .engine import Engine
    except ImportError as missing:
        if (missing.name or "psycopg").partition(".")[0] not in ("psycopg", "psycopg_binary"):
            raise
        raise ChannelConfigurationError(
            "the PostgreSQL store needs psycopg, which is not installed: install hosting[postgres]",
            field="state",
        ) from missing
    return Engine
