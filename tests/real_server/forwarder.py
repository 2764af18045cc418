"""A round-robin TCP forwarder, for machines without a proxy: passes over backends that refuse."""

from __future__ import annotations

import itertools
import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress


class Forwarder:
    """Forwards each connection to the next backend.

    Args:
        backends: Ports on this machine.
    """

    def __init__(self, backends: Sequence[int]) -> None:
        self._turns = itertools.cycle(backends)
        self._count = len(backends)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.last = 0
        """The backend of the newest connection."""

    def serve(self) -> None:
        """Takes connections until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError), closing(self._connected()) as backend:
            _exchange(client, backend)

    def _connected(self) -> socket.socket:
        for _ in range(self._count):
            port = next(self._turns)
            with suppress(OSError):
                backend = socket.create_connection(("127.0.0.1", port))
                self.last = port
                return backend
        raise OSError("no backend answers")


def _exchange(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in ready.select():
                source: socket.socket = key.fileobj  # pyright: ignore[reportAssignmentType] - a socket was registered
                data = source.recv(65_536)
                if not data:
                    return
                key.data.sendall(data)


@contextmanager
def forwarding(backends: Sequence[int]) -> Iterator[Forwarder]:
    """A forwarder that runs."""
    forwarder = Forwarder(backends)
    thread = threading.Thread(target=forwarder.serve)
    thread.start()
    try:
        yield forwarder
    finally:
        forwarder.close()
        thread.join()
