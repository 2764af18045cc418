"""One life of a host in memory, which can end at any moment, and then leaves nothing behind.

From its death on nothing of it reaches the store, the network or its clients: every handle that it was given raises
`ProcessKilled`, and all of its tasks are cancelled, those that they still begin included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..transports.asgi import ASGIApp, Message, Receive, Scope, Send

_REAPING = 1_000
_BETWEEN = 0.01


class ProcessKilled(BaseException):
    """What code of a dead process meets at every handle; no `except Exception` holds it up."""


class ConnectionLost(Exception):
    """What a client meets whose server died."""


class Process:
    """The tasks of one life.

    Args:
        number: Which life this is, from 1.

    Attributes:
        dead: Whether it was killed.
        died: Set when it was.
        stopping: Set to end it in good order.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.dead = False
        self.died = asyncio.Event()
        self.stopping = asyncio.Event()
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in the order of their births, so that runs repeat

    def check(self) -> None:
        """Does nothing while it lives.

        Raises:
            ProcessKilled: It is dead.
        """
        if self.dead:
            raise ProcessKilled

    def kill(self) -> None:
        """Ends it as SIGKILL does; the task that calls this has to raise `ProcessKilled` itself, if it is one of its."""
        self.dead = True
        self.died.set()
        me = asyncio.current_task()
        for task in self._tasks:
            if task is not me:
                task.cancel()

    def adopt(self, task: asyncio.Task[Any] | None) -> None:
        """Counts a task among those that die with the process."""
        if task is not None:
            self._tasks[task] = None
            task.add_done_callback(self._ended)

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """The first task of the process; all that it begins belongs to the process."""
        token = _current.set(self)
        try:
            return asyncio.get_running_loop().create_task(work, name=name)
        finally:
            _current.reset(token)

    async def ended(self, life: asyncio.Task[Any]) -> None:
        """Waits until its first task ended, or it was killed and nothing of it is left.

        Raises:
            Exception: It ended by itself, with this.
        """
        died = asyncio.ensure_future(self.died.wait())
        await asyncio.wait([life, died], return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if self.dead:
            await self.reap()
        else:
            life.result()

    async def reap(self) -> None:
        """Waits until no task of a dead process is left.

        Raises:
            AssertionError: Some task cannot be ended.
        """
        for _ in range(_REAPING):
            alive = [task for task in self._tasks if not task.done()]
            if not alive:
                return
            for task in alive:
                task.cancel()
            await asyncio.wait(alive, timeout=_BETWEEN)
        names = sorted(task.get_name() for task in self._tasks)
        raise AssertionError(f"tasks of a killed process go on: {', '.join(names)}")

    def serve(self, app: ASGIApp) -> ASGIApp:
        """`app` as a server in this process runs it."""

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            _current.set(self)
            self.adopt(asyncio.current_task())

            async def receives() -> Message:
                self.check()
                return await receive()

            async def sends(message: Message) -> None:
                self.check()
                await send(message)

            try:
                await app(scope, receives, sends)
            except BaseException:
                if self.dead:
                    raise ConnectionLost("the process was killed") from None
                raise

        return served

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if self.dead and not task.cancelled():
            task.exception()  # nobody is left to be told


_current: ContextVar[Process | None] = ContextVar("hosting_testkit_process", default=None)


@contextmanager
def tasks_counted(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """While the block runs, each new task belongs to the process whose code begins it."""
    before: Any = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        task = before(loop, work, **options) if before else asyncio.Task(work, loop=loop, **options)
        context = options.get("context")
        process = _current.get() if context is None else context.get(_current)
        if process is not None:
            process.adopt(task)
            if process.dead:
                task.cancel()
        return task

    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(before)
