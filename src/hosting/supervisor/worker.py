"""One worker process, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import suppress

Command = Callable[[int, int, str | None], Sequence[str]]
"""Makes the command line of a worker, from what it inherits, the file descriptors of the listening socket and of the link,
and from the host's name of the worker that it replaces, so that what that one held is free at once."""

_LONGEST_NAME = 1024


class Worker:
    """A process and the link to it.

    Over the link the worker sends its host's name, once it serves. The link's end tells it that its supervisor is gone.
    """

    def __init__(self, process: Process, link: socket.socket) -> None:
        self._process = process
        self._link = link
        self.host: str | None = None
        """Its host's name, once it has served."""
        self._begun = asyncio.get_running_loop().time()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def becomes_ready(self) -> bool:
        """True once it serves; False where it ended before."""
        with suppress(OSError):
            said = await asyncio.get_running_loop().sock_recv(self._link, _LONGEST_NAME)
            self.host = said.decode().strip() or None
        return self.host is not None

    async def ended(self) -> tuple[int, float]:
        """Its exit code (minus the signal that killed it) and the seconds that it lived, once it has ended."""
        code = await self._process.wait()
        self._link.close()
        return code, asyncio.get_running_loop().time() - self._begun

    def terminate(self) -> None:
        """Asks it to drain."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it, whatever it does."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


async def start_worker(command: Command, listener: socket.socket, *, after: str | None) -> Worker:
    """Starts a process that inherits the socket. It has a group of its own, so that Ctrl-C reaches the supervisor alone.

    Args:
        command: Makes its command line.
        listener: The socket.
        after: The host's name of the worker that it replaces.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        descriptors = (listener.fileno(), theirs.fileno())
        try:
            process = await asyncio.create_subprocess_exec(
                *command(*descriptors, after), stdin=DEVNULL, pass_fds=descriptors, process_group=0
            )
        except BaseException:
            ours.close()
            raise
    return Worker(process, ours)


def in_words(code: int) -> str:
    """An exit code for the log."""
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"
