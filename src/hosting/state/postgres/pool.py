"""The connections of one store: opened when they are needed, kept, and lent to one unit at a time.

They may be lent to any event loop of the process, one after the other, so that a thread with a loop of its own can use the
store; a pool whose locks and tasks belong to one loop could not do that.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..errors import StateUnavailable
from .session import Session

_Loan = Session | None
"""A connection, or None for the right to open one."""


class _Waiter(NamedTuple):
    loop: asyncio.AbstractEventLoop
    loan: asyncio.Future[_Loan]


class Pool:
    """At most `size` connections, lent in the order of asking.

    Args:
        connect: Opens one; raises `StateUnavailable`.
        size: How many there may be.
        timeout: Seconds to wait for one.
    """

    def __init__(self, connect: Callable[[], Awaitable[Session]], *, size: int, timeout: float) -> None:
        self._connect = connect
        self._size = size
        self._timeout = timeout
        self._turnstile = threading.Lock()
        self._idle: list[Session] = []
        self._waiters: deque[_Waiter] = deque()
        self._open = 0
        self._users = 0
        self._closing: list[_Waiter] | None = None

    def add(self, session: Session) -> None:
        """Adds a connection that was opened elsewhere."""
        with self._turnstile:
            self._open += 1
            self._idle.append(session)

    def enter(self) -> None:
        """Before a user borrows.

        Raises:
            StateUnavailable: The pool is closed.
        """
        with self._turnstile:
            if self._closing is not None:
                raise StateUnavailable("the state store is closed")
            self._users += 1

    def leave(self) -> None:
        """After a user gave back what it borrowed."""
        with self._turnstile:
            self._users -= 1
            ended = self._closing if self._closing and not self._users else []
            for waiter in ended:
                self._deliver(waiter, None)

    async def close(self) -> None:
        """Lets nobody in, waits until everybody left, closes the connections."""
        waiter = _Waiter(loop := asyncio.get_running_loop(), loop.create_future())
        with self._turnstile:
            self._closing = [*(self._closing or ()), waiter]
            busy = self._users
        if busy:
            await waiter.loan
        with self._turnstile:
            idle, self._idle = self._idle, []
            self._open -= len(idle)
        for session in idle:
            session.close()

    async def borrow(self) -> Session:
        """Lends a connection.

        Raises:
            StateUnavailable: None can be opened, or none came free in time.
        """
        while True:
            with self._turnstile:
                if self._idle:
                    session, waiter = self._idle.pop(), None
                elif self._open < self._size:
                    self._open += 1
                    session = waiter = None
                else:
                    waiter = _Waiter(loop := asyncio.get_running_loop(), loop.create_future())
                    self._waiters.append(waiter)
                    session = None
            if waiter is not None:
                session = await self._waited(waiter)
            if session is None:
                return await self._opened()
            if session.usable:
                return session
            self.give_back(session)  # it broke while it lay idle

    def give_back(self, session: Session) -> None:
        """Takes a connection back; one that broke, or was cut off in the middle, is closed."""
        if session.usable and not session.in_transaction:
            self._pass_on(session)
        else:
            session.close()
            self._pass_on(None)

    async def _opened(self) -> Session:
        try:
            return await self._connect()
        except StateUnavailable as error:
            self._refuse_waiters(error)
            self._pass_on(None)
            raise
        except BaseException:
            self._pass_on(None)
            raise

    async def _waited(self, waiter: _Waiter) -> _Loan:
        try:
            async with asyncio.timeout(self._timeout):
                return await waiter.loan
        except BaseException as error:
            with self._turnstile:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
            if waiter.loan.done() and not waiter.loan.cancelled() and waiter.loan.exception() is None:
                self._pass_on(waiter.loan.result())
            if isinstance(error, TimeoutError):
                raise StateUnavailable(
                    f"all {self._size} connections were in use for {self._timeout:g} s"
                ) from None
            raise

    def _pass_on(self, loan: _Loan) -> None:
        with self._turnstile:
            while self._waiters:
                if self._deliver(self._waiters.popleft(), loan):
                    return
            if loan is None:
                self._open -= 1
            else:
                self._idle.append(loan)

    def _refuse_waiters(self, error: StateUnavailable) -> None:
        """What one could not open, the others cannot either: they need not find out one after the other."""
        with self._turnstile:
            waiters, self._waiters = self._waiters, deque()
        for waiter in waiters:
            _call(waiter.loop, _set_exception, waiter.loan, error)

    def _deliver(self, waiter: _Waiter, loan: _Loan) -> bool:
        """Gives a waiter its loan; False if it has gone."""
        if waiter.loan.done():
            return False
        if waiter.loop is _running_loop():
            waiter.loan.set_result(loan)
            return True
        return _call(waiter.loop, self._deliver_there, waiter, loan)

    def _deliver_there(self, waiter: _Waiter, loan: _Loan) -> None:
        if waiter.loan.done():
            self._pass_on(loan)
        else:
            waiter.loan.set_result(loan)


def _set_exception(future: asyncio.Future[_Loan], error: StateUnavailable) -> None:
    if not future.done():
        future.set_exception(StateUnavailable(error.detail))


def _call(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> bool:
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:  # the loop is closed, and nobody waits there any more
        return False
    return True


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
