"""One connection in pipeline mode: what is asked in one go travels in one go.

psycopg makes the connection; a unit then goes through its documented interface to libpq (`psycopg.pq`), because
statements are known beforehand and columns are texts and whole numbers only. On the machine of the measurements in the
decisions this takes a third of the processor time of cursors in a pipeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGresult

from ..base import Rows
from .failures import ConnectionLost

_OK = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_NUMBERS = frozenset({20, 21, 23, 1700})
"""bigint, smallint, integer, numeric."""

_BOOLEAN = 16


class Command(NamedTuple):
    """One statement to send.

    Args:
        key: Its name as a prepared statement.
        sql: Its text.
        params: Texts of its parameters.
    """

    key: bytes
    sql: bytes
    params: Sequence[bytes | None] = ()


class Session:
    """A connection that runs commands.

    Args:
        connection: Open, in autocommit; this object closes it.
        prepare: Whether statements are prepared on the server.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, prepare: bool, timeout: float) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._pg.enter_pipeline_mode()
        self._prepare = prepare
        self._timeout = timeout
        self._prepared: set[bytes] = set()
        self._broken = False

    @property
    def usable(self) -> bool:
        """Whether it stands, as far as can be told without asking the server."""
        try:
            self._pg.consume_input()
        except psycopg.Error:
            return False
        return not self._broken and self._pg.status == pq.ConnStatus.OK

    def close(self) -> None:
        """Ends the connection; what the server has under way is rolled back."""
        self._pg.finish()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""
        return self._pg.transaction_status != pq.TransactionStatus.IDLE

    async def ask(self, commands: Sequence[Command]) -> list[PGresult]:
        """Sends all commands at once and returns one result for each. After a failed one, the rest is not run.

        Raises:
            ConnectionLost: It broke; `decided` says whether the last command may have been run.
        """
        results, new = list[PGresult](), set[bytes]()
        sent, self._broken = False, True
        try:
            async with asyncio.timeout(self._timeout):
                new = self._send(commands)
                while self._pg.flush():
                    await ready(self._pg.socket, to_write=True)
                    self._collect(results)
                sent = True
                while not self._collect(results):
                    await ready(self._pg.socket)
        except TimeoutError:
            raise ConnectionLost(f"no answer within {self._timeout:g} s", decided=sent) from None
        except (OSError, psycopg.Error) as error:
            refused = _first_refused(results)
            last = len(commands) + len(new) - 1 if sent else -1
            decided = sent and (refused is None or refused >= last)
            raise ConnectionLost(_last_words(results) or _words(error), decided=decided) from error
        self._broken = False
        return self._without_preparations(results, commands, new)

    def _send(self, commands: Sequence[Command]) -> set[bytes]:
        pg, new = self._pg, set[bytes]()
        for key, sql, params in commands:
            if not self._prepare:
                pg.send_query_params(sql, params)
                continue
            if key not in self._prepared and key not in new:
                pg.send_prepare(key, sql)
                new.add(key)
            pg.send_query_prepared(key, params)
        pg.pipeline_sync()
        return new

    def _collect(self, results: list[PGresult]) -> bool:
        """Adds the results that have come; True once all have."""
        pg, broken = self._pg, None
        try:
            pg.consume_input()
        except psycopg.Error as error:
            broken = error  # what the server said before it went may still be there to read
        ended = False
        while not pg.is_busy():
            result = pg.get_result()
            if result is None and ended:
                break
            ended = result is None
            if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
                return True
            if result is not None:
                results.append(result)
        if broken is not None or pg.status != pq.ConnStatus.OK:
            raise broken or ConnectionResetError("the server went away")
        return False

    def _without_preparations(
        self, results: Sequence[PGresult], commands: Sequence[Command], new: set[bytes]
    ) -> list[PGresult]:
        """The results of the commands; where preparing one failed, that is its result."""
        answers, left = list[PGresult](), iter(results)
        for key, _, _ in commands:
            if key in new:
                new.discard(key)
                prepared, run = next(left), next(left)
                if prepared.status == pq.ExecStatus.COMMAND_OK:
                    self._prepared.add(key)
                answers.append(run if prepared.status == pq.ExecStatus.COMMAND_OK else prepared)
            else:
                answers.append(next(left))
        return answers


async def ready(fileno: int, *, to_write: bool = False) -> None:
    """Waits until a socket can be read, or with `to_write` also until it can be written."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    loop.add_reader(fileno, wake)
    if to_write:
        loop.add_writer(fileno, wake)
    try:
        await woken
    finally:
        loop.remove_reader(fileno)
        if to_write:
            loop.remove_writer(fileno)


def failed(result: PGresult) -> bool:
    """Whether the command failed, or was not run because one before it did."""
    return result.status not in _OK


def rows_of(result: PGresult) -> Rows:
    """The rows of a result: texts, whole numbers, None."""
    readers = [_reader(result.ftype(column)) for column in range(result.nfields)]
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else read(value)
            for column, read in enumerate(readers)
        )
        for row in range(result.ntuples)
    ]


def _reader(oid: int) -> Callable[[bytes], Any]:
    if oid in _NUMBERS:
        return int
    return _truth if oid == _BOOLEAN else bytes.decode


def _truth(value: bytes) -> int:
    return int(value == b"t")


def _first_refused(results: Sequence[PGresult]) -> int | None:
    """Place of the first error that the server sent; the library makes others itself, when a connection breaks."""
    for place, result in enumerate(results):
        if result.error_field(pq.DiagnosticField.SQLSTATE):
            return place
    return None


def _last_words(results: Sequence[PGresult]) -> str:
    refused = _first_refused(results)
    return "" if refused is None else _line(results[refused].get_error_message())


def _words(error: Exception) -> str:
    return _line(str(error)) or type(error).__name__


def _line(text: str) -> str:
    return " ".join(text.split())
