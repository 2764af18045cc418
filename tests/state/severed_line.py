"""A TCP line to the PostgreSQL server that a test can cut, stop, or make lose the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tests.state import postgres_server


class Line:
    """What stands between a store and its server.

    Attributes:
        answers: Whether what the server says reaches the client.
        sent: Pieces that the client sent, one for each time it wrote.
    """

    def __init__(self) -> None:
        self.answers = True
        self.sent: list[bytes] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        given = conninfo_to_dict(postgres_server.URL)
        login = f"{quote(str(given['user']))}@" if given.get("user") else ""
        return f"postgresql://{login}127.0.0.1:{self.port}/{given.get('dbname', '')}"

    async def open(self) -> None:
        """Lets clients connect, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Lets no new client connect."""
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """Breaks every connection, for both sides."""
        for line in self._lines:
            line.transport.abort()

    async def close(self) -> None:
        self.refuse()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        given = conninfo_to_dict(postgres_server.URL)
        host, port = str(given.get("host") or "/var/run/postgresql"), int(given.get("port") or 5432)
        if host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there = await asyncio.open_connection(host, port)
        self._lines |= {writer, there[1]}
        for task in (self._up(reader, there[1]), self._down(there[0], writer)):
            self._tasks.add(asyncio.create_task(task))

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(2**20):
                self.sent.append(data)
                writer.write(data)
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(2**20):
                if self.answers:
                    writer.write(data)
        writer.close()


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    postgres_server.require()
    opened = Line()
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()
