"""Load on one server, from a process of its own: keep-alive, one request at a time per connection, every answer checked.

`python -m benchmarks.load` reads a `Load` from standard input and writes a `Loaded` to standard output.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from typing import cast

import httptools
import msgspec
import uvloop

from . import processes
from .pinning import load_core, pin

_GRACE = 30.0
"""Seconds beyond its own that a load may take until it counts as stuck."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send, how long, and what a right answer looks like.

    Args:
        port: Of the server.
        bodies: Request bodies, in turn.
        connections: Connections at once.
        seconds: No new request after so long.
        requests: No new request after so many.
        expected: What every answer must hold.
        deltas: How many text deltas every answer must hold.
    """

    port: int
    bodies: list[str]
    connections: int
    seconds: float
    requests: int = 10_000_000
    expected: list[str]
    deltas: int | None = None


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a load.

    Args:
        answers: Complete and right answers.
        seconds: From the first request to the last answer.
        p50: Milliseconds of the median answer.
        p99: Milliseconds of the slowest but one in a hundred.
        busy: Share of the time in which the load generator itself was computing; near 1 it is the bottleneck.
        size: Bytes of one answer's body.
    """

    answers: int
    seconds: float
    p50: float
    p99: float
    busy: float
    size: int


def put_load(load: Load) -> Loaded:
    """Runs a load to its end.

    Raises:
        RuntimeError: An answer was wrong, or a connection was lost.
        subprocess.TimeoutExpired: The server did not answer.
    """
    process = processes.start("-m", "benchmarks.load", stdin=subprocess.PIPE)
    try:
        told, _ = process.communicate(msgspec.json.encode(load).decode(), timeout=load.seconds + _GRACE)
    finally:
        processes.stop(process)
    if process.returncode:
        raise RuntimeError("the load found a wrong answer; see the message above")
    return msgspec.json.decode(told, type=Loaded)


class _Requests:
    """The requests of all connections together, and what came of them."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.latencies: list[float] = []
        self.failure: str | None = None
        self.size = 0
        self._expected = [text.encode() for text in load.expected]
        self._prepared = itertools.islice(itertools.cycle(map(_request, load.bodies)), load.requests)
        self._until = time.perf_counter() + load.seconds

    def next(self) -> bytes | None:
        """The next request; None once the load has ended."""
        if self.failure or (self.latencies and time.perf_counter() >= self._until):
            return None
        return next(self._prepared, None)

    def answered(self, status: int, body: bytes, seconds: float) -> None:
        self.latencies.append(seconds)
        self.size = len(body)
        deltas = self.load.deltas
        if status != 200:
            self.failure = f"found status {status}, expected 200"
        elif not all(text in body for text in self._expected):
            self.failure = f"found {body[:200]!r}, expected it to hold {self.load.expected}"
        elif deltas is not None and body.count(b"event: response.output_text.delta\n") != deltas:
            self.failure = f"an answer has not the expected {deltas} deltas"


class _Connection(asyncio.Protocol):
    """One client; httptools calls its `on_` methods."""

    def __init__(self, requests: _Requests) -> None:
        self._requests = requests
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._sent_at = 0.0
        self._waiting = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses of it
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._requests.failure = "the server closed a connection in the middle of an answer"
        if not self.ended.done():
            self.ended.set_result(None)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._waiting = False
        body = b"".join(self._body)
        self._body.clear()
        self._requests.answered(self._parser.get_status_code(), body, time.perf_counter() - self._sent_at)
        self._send_next()

    def _send_next(self) -> None:
        request = self._requests.next()
        if request is None:
            self._transport.close()
            return
        self._waiting = True
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def _run(load: Load) -> Loaded:
    requests = _Requests(load)
    loop = asyncio.get_running_loop()
    began, cpu = time.perf_counter(), time.process_time()
    connections = [
        (await loop.create_connection(lambda: _Connection(requests), "127.0.0.1", load.port))[1]
        for _ in range(load.connections)
    ]
    async with asyncio.timeout(load.seconds + _GRACE / 2):
        await asyncio.gather(*(connection.ended for connection in connections))
    seconds = time.perf_counter() - began
    if requests.failure:
        raise SystemExit(requests.failure)
    milliseconds = sorted(latency * 1_000 for latency in requests.latencies)
    return Loaded(
        answers=len(milliseconds),
        seconds=seconds,
        p50=milliseconds[len(milliseconds) // 2],
        p99=milliseconds[int(len(milliseconds) * 0.99)],
        busy=(time.process_time() - cpu) / seconds,
        size=requests.size,
    )


def _request(body: str) -> bytes:
    payload = body.encode()
    head = (
        "POST /responses HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


def _main() -> None:
    pin(load_core())
    load = msgspec.json.decode(sys.stdin.read(), type=Load)
    print(msgspec.json.encode(uvloop.run(_run(load))).decode())


if __name__ == "__main__":
    _main()
