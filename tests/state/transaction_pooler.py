"""A pooler in transaction mode, reduced to what matters: each transaction may get another connection to the server."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tests.state import postgres_server

_IDLE = b"I"


class Pooler:
    """Hands each transaction to the connection that was idle longest, so never twice in a row to the same.

    Attributes:
        transactions: How many have been handed on.
        server_connections: How many connections to the server there are.
    """

    def __init__(self, server_connections: int) -> None:
        self.server_connections = server_connections
        self.transactions = 0
        self.port = 0
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self._greeting = b""
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._given = conninfo_to_dict(postgres_server.URL)

    @property
    def url(self) -> str:
        login = f"{quote(str(self._given['user']))}@" if self._given.get("user") else ""
        return f"postgresql://{login}127.0.0.1:{self.port}/{self._given.get('dbname', '')}?sslmode=disable"

    async def open(self, user: str, database: str) -> None:
        for _ in range(self.server_connections):
            self._idle.put_nowait(await self._logged_in(user, database))
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._server = server

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _logged_in(self, user: str, database: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = (
            str(self._given.get("host") or "/var/run/postgresql"),
            int(self._given.get("port") or 5432),
        )
        if host.startswith("/"):
            reader, writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            reader, writer = await asyncio.open_connection(host, port)
        self._writers.append(writer)
        words = [
            "user",
            user,
            "database",
            database,
            "client_encoding",
            "UTF8",
            "application_name",
            "pooler",
            "",
        ]
        body = struct.pack("!i", 196608) + b"\0".join(word.encode() for word in words) + b"\0"
        writer.write(struct.pack("!i", len(body) + 4) + body)
        self._greeting = b""
        while True:
            kind, message = await _message(reader)
            self._greeting += message
            if kind == b"Z":
                return reader, writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        with suppress(asyncio.IncompleteReadError, OSError):
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            await reader.readexactly(length - 4)
            writer.write(self._greeting)
            while True:
                kind, message = await _message(reader)
                if kind == b"X":
                    break
                await self._transaction(message, kind, reader, writer)
        writer.close()

    async def _transaction(
        self, message: bytes, kind: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server = await self._idle.get()
        self.transactions += 1
        while True:
            server[1].write(message)
            if kind in (b"S", b"Q") and await self._answered(server[0], writer):
                break
            kind, message = await _message(reader)
        self._idle.put_nowait(server)

    async def _answered(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Passes the answer on; whether the transaction ended with it."""
        while True:
            kind, message = await _message(server)
            writer.write(message)
            if kind == b"Z":
                return message[-1:] == _IDLE


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head[:1], head + await reader.readexactly(length - 4)


@asynccontextmanager
async def pooler(server_connections: int = 3) -> AsyncIterator[Pooler]:
    postgres_server.require()
    ((user, database),) = postgres_server.run("SELECT current_user, current_database()")
    opened = Pooler(server_connections)
    await opened.open(user, database)
    try:
        yield opened
    finally:
        await opened.close()
