"""What the PostgreSQL store does once psycopg is there: connects, runs units again where others came between, listens."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import psycopg

from ..base import Rows, Statement
from ..errors import StateConflict, StateError, StateUnavailable
from ..signals import SIGNAL, Wakers
from .address import in_words, parameters_of
from .failures import ConnectionLost, connect_error, loss
from .listener import Listener
from .pool import Pool
from .session import Session
from .texts import notification_channel, prepared_texts
from .units import Again, Plan, plan, run
from .upgrade import prepare_connection, upgrade, version

_LONGEST_PAUSE = 0.05

Connection = psycopg.AsyncConnection[Any]


class Engine:
    """One store's connections and what goes over them; the arguments are those of `PostgresHostStateStore`."""

    def __init__(
        self, url: str, schema: str, pool_size: int, prepare: bool, listen_url: str | None, timeout: float
    ) -> None:
        self._parameters = parameters_of(url)
        listens_at = listen_url or (url if prepare else None)
        self._listens_at = parameters_of(listens_at) if listens_at else None
        self.place = in_words(self._parameters, schema)
        self._schema = schema
        self._size = pool_size
        self._prepare = prepare
        self._timeout = timeout
        self._texts = prepared_texts(schema)
        self._own = secrets.token_hex(4)
        self._wakers = Wakers()
        self._listener = Listener(
            self._listening, channel=notification_channel(schema), wakers=self._wakers, own=self._own
        )
        self._pool: Pool | None = None

    @property
    def listens(self) -> bool:
        """Whether signals of other processes are heard."""
        return self._listens_at is not None

    async def open(self) -> None:
        """Connects and brings the schema up to date."""
        if self._pool is not None:
            return
        connection = await self._connected(self._parameters)
        try:
            await upgrade(connection, self._schema, self.place)
        except psycopg.Error as error:
            connection.pgconn.finish()
            raise connect_error(error, self.place) from error
        except BaseException:
            connection.pgconn.finish()
            raise
        if self._pool is None:
            self._pool = Pool(self._session, size=self._size, timeout=self._timeout)
            self._pool.add(self._session_on(connection))
            if self._wakers and self.listens:
                self._listener.start()
        else:  # opened twice at once
            connection.pgconn.finish()

    async def version(self) -> int:
        """The version of the schema as it is."""
        connection = await self._connected(self._parameters)
        try:
            return await version(connection, self._schema, self.place)
        except psycopg.Error as error:
            raise connect_error(error, self.place) from error
        finally:
            connection.pgconn.finish()

    async def close(self) -> None:
        """Finishes the units under way and lets go of all connections."""
        pool = self._pool
        if pool is not None:
            await self._listener.stop()
            await pool.close()
            if self._pool is pool:
                self._pool = None

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        """As `StoreSignals.subscribe` says."""
        end = self._wakers.subscribe(topic, event)
        if self.listens and self._pool is not None:
            self._listener.start()
        return end

    async def execute(self, unit: Sequence[Statement]) -> list[Rows]:
        """As `HostStateStore.execute` says. A unit goes on when its caller is cancelled: it is on its way."""
        pool = self._pool
        if pool is None:
            raise StateUnavailable("the state store is not open: call `await store.open()` first")
        planned = plan([self._addressed(each) for each in unit], self._texts, self._schema)
        pool.enter()
        task = asyncio.get_running_loop().create_task(self._signalled(pool, planned, unit))
        task.add_done_callback(lambda _: pool.leave())
        return await asyncio.shield(task)

    async def _signalled(self, pool: Pool, planned: Plan, unit: Sequence[Statement]) -> list[Rows]:
        rows = await self._committed(pool, planned)
        self._wakers.wake_for(unit)
        return rows

    async def _committed(self, pool: Pool, planned: Plan) -> list[Rows]:
        if not planned.unit:
            return []
        repeats = conflicts = losses = 0
        while True:
            session = await pool.borrow()
            try:
                return await run(session, planned, self.place)
            except Again as again:
                conflicts += isinstance(again.error, StateConflict)
                repeats += 1
                if repeats > again.limit or conflicts > 1:
                    raise again.error from None
            except ConnectionLost as lost:
                losses += 1
                if losses > 1 or (lost.decided and not planned.read_only):
                    raise loss(lost, self.place) from lost
            finally:
                pool.give_back(session)
            await asyncio.sleep(_pause(repeats))

    def _addressed(self, statement: Statement) -> Statement:
        """A signal says who sends it, so that the sender does not wake its own waiters twice."""
        if statement.name != SIGNAL:
            return statement
        return replace(statement, params={"topic": f"{self._own}:{statement.params['topic']}"})

    async def _session(self) -> Session:
        return self._session_on(await self._connected(self._parameters))

    def _session_on(self, connection: Connection) -> Session:
        return Session(connection, prepare=self._prepare, timeout=self._timeout)

    async def _connected(self, parameters: dict[str, Any]) -> Connection:
        try:
            connection = await Connection.connect(**parameters, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise connect_error(error, self.place) from error
        try:
            await prepare_connection(connection, self.place, own_settings=self._prepare)
        except psycopg.Error as error:
            connection.pgconn.finish()
            raise connect_error(error, self.place) from error
        except BaseException:
            connection.pgconn.finish()
            raise
        return connection

    async def _listening(self) -> Connection:
        if self._listens_at is None:
            raise StateError("no address to listen at")
        return await Connection.connect(**self._listens_at, autocommit=True, prepare_threshold=None)


def _pause(repeats: int) -> float:
    """Nothing at first, then longer and by chance, so that those who met do not meet again."""
    return 0.0 if repeats < 3 else random.uniform(0.0, min(_LONGEST_PAUSE, 0.001 * 2 ** min(repeats - 2, 10)))
