"""Several hosts on one store, each over a line of its own that can be cut (contract 6.7, 12.2)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from hosting import Channel, InMemoryHostStateStore
from hosting.state import Rows, Statement, StateUnavailable

from ..drivers.base import ChannelDriver
from .hosted import HostedChannel
from .kit import Maker


class Line:
    """A host's own way to rows that hosts share; they outlive each of them."""

    durable = True
    inline = True
    exclusive = False

    def __init__(self, rows: InMemoryHostStateStore) -> None:
        self._rows = rows
        self._cut = False

    @contextmanager
    def broken(self) -> Generator[None]:
        """Nothing arrives in the block, as if the host were gone."""
        self._cut = True
        try:
            yield
        finally:
            self._cut = False

    def describe(self) -> str:
        """For the start line."""
        return "rows that hosts share"

    async def open(self) -> None:
        """The rows are there already."""

    async def close(self) -> None:
        """The rows stay for the others."""

    async def execute(self, *unit: Statement) -> list[Rows]:
        """One unit, if the line is whole."""
        if self._cut:
            raise StateUnavailable("the kit has cut the line")
        return await self._rows.execute(*unit)


@asynccontextmanager
async def two_lines() -> AsyncGenerator[tuple[Line, Line]]:
    """The lines of two hosts; use them inside: `k.host(target, state=line)`."""
    rows = InMemoryHostStateStore()
    await rows.open()
    try:
        yield Line(rows), Line(rows)
    finally:
        await rows.close()


def replica_of(h: HostedChannel) -> Maker:
    """Makes the channel as in another host, with the same secrets."""

    def make(driver: ChannelDriver) -> Channel:
        driver.env.secrets = h.env.secrets
        return driver.make(driver.env)

    return make
