"""Starts the workers, replaces those that die, and drains them all at a signal (contract 1.2, 1.7)."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable

from .back_off import BackOff
from .worker import Command, Worker, in_words, start_worker

_WHILE_STOPPING = (0, -signal.SIGTERM)
"""Exit codes that are in order then: drained, or told before it served anything."""


class Supervisor:
    """Keeps a number of workers running that serve one socket.

    The first worker starts alone: what is wrong with the application, its store or its schema shows once, and ends the
    supervisor. Once one worker has served, a worker that dies is replaced, however often.

    Args:
        command: Makes a worker's command line.
        listener: The socket that they serve; closed when the drain begins.
        count: How many workers.
        grace: Seconds that they get to drain before they are killed.
        draining: Called when the drain begins.
        logger: Told of workers that died.
    """

    def __init__(
        self,
        command: Command,
        *,
        listener: socket.socket,
        count: int,
        grace: float,
        draining: Callable[[], None],
        logger: logging.Logger,
    ) -> None:
        self._command = command
        self._listener = listener
        self._count = count
        self._grace = grace
        self._draining = draining
        self._log = logger
        self._workers: list[Worker] = []
        self._served = asyncio.Event()
        self._stopping = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        """Supervises until a signal has ended all workers; a second signal cuts. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        first = asyncio.create_task(self._keep(1))
        served = asyncio.create_task(self._served.wait())
        await asyncio.wait((first, served), return_when=asyncio.FIRST_COMPLETED)
        served.cancel()
        others = range(2, self._count + 1) if self._served.is_set() else ()
        await asyncio.gather(first, *(self._keep(number) for number in others))
        return self._code

    async def _keep(self, number: int) -> None:
        """Keeps the worker with this number."""
        back_off, after = BackOff(), None
        while not self._stopping.is_set():
            worker = await start_worker(self._command, self._listener, after=after)
            self._workers.append(worker)
            if self._stopping.is_set():  # the signal came while it was being started
                worker.terminate()
            if await worker.becomes_ready():
                self._served.set()
            code, lived = await worker.ended()
            self._workers.remove(worker)
            after = worker.host or after
            await self._after_end(number, worker.pid, code, back_off.pause(lived))

    async def _after_end(self, number: int, pid: int, code: int, pause: float) -> None:
        if self._stopping.is_set():
            if code not in _WHILE_STOPPING:
                self._log.error("worker %d (process %d) %s while it drained", number, pid, in_words(code))
                self._code = 1
        elif not self._served.is_set():
            self._log.error("worker %d (process %d) %s before it served", number, pid, in_words(code))
            self._code = code if code > 0 else 1
            self._stopping.set()
        else:
            when = f"in {pause:g} s" if pause else "now"
            self._log.error("worker %d (process %d) %s; another starts %s", number, pid, in_words(code), when)
            await self._waited(pause)

    async def _waited(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._cut("the second signal cuts them off")
            return
        self._stopping.set()
        self._log.info("draining %d workers", len(self._workers))
        self._draining()
        self._listener.close()
        for worker in self._workers:
            worker.terminate()
        asyncio.get_running_loop().call_later(self._grace, self._cut, f"they had {self._grace:g} s to drain")

    def _cut(self, reason: str) -> None:
        if self._workers:
            self._code = 1
            self._log.error("killing %d workers: %s", len(self._workers), reason)
        for worker in self._workers:
            worker.kill()
