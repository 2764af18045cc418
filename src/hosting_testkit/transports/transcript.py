"""What crossed the wire of one in-memory connection, in order, with times from an injected clock."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from .asgi import Headers

if TYPE_CHECKING:
    from hosting.clock import TimeSource


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The client asked: method, target (path and query) and headers as sent."""

    at: float
    method: str
    target: str
    http_version: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class RequestChunk:
    """The app took a piece of the request body; `last` is the empty piece that ends it."""

    at: float
    data: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The app sent status and headers."""

    at: float
    status: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class ResponseChunk:
    """The app sent a piece of the response body, read by the client or not; `last` ends the response."""

    at: float
    data: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class MessageIn:
    """The app took a WebSocket message of the client."""

    at: float
    data: str | bytes


@dataclass(frozen=True, slots=True)
class MessageOut:
    """The app sent a WebSocket message."""

    at: float
    data: str | bytes


@dataclass(frozen=True, slots=True)
class SocketAccepted:
    """The app accepted the WebSocket."""

    at: float
    subprotocol: str | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """The app closed (or, before it accepted, refused) the WebSocket."""

    at: float
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The client went away; for a WebSocket with its close code."""

    at: float
    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class AppFailed:
    """The app ended with an exception."""

    at: float
    error: BaseException


@dataclass(frozen=True, slots=True)
class AppEnded:
    """The app returned."""

    at: float


@dataclass(frozen=True, slots=True)
class AppKilled:
    """The app had not ended by itself when its grace was over, so the transport cancels it."""

    at: float
    grace: float | None


Record = (
    RequestLine
    | RequestChunk
    | ResponseHead
    | ResponseChunk
    | MessageIn
    | MessageOut
    | SocketAccepted
    | SocketClosed
    | Disconnected
    | AppFailed
    | AppEnded
    | AppKilled
)
R = TypeVar("R")


def _no_records() -> list[Record]:
    return []


@dataclass(slots=True)
class Transcript:
    """The records of one connection; `clock` (monotonic seconds) defaults to the running loop's own time."""

    clock: TimeSource | None = None
    records: list[Record] = field(default_factory=_no_records)

    def __post_init__(self) -> None:
        listening = _listening.get()
        if listening is not None:
            listening.append(self)

    def now(self) -> float:
        """The time to put on a record."""
        return asyncio.get_running_loop().time() if self.clock is None else self.clock.monotonic()

    def add(self, record: Record) -> None:
        """Append one record."""
        self.records.append(record)

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


_listening: ContextVar[list[Transcript] | None] = ContextVar("hosting_testkit_transcripts", default=None)


@contextmanager
def all_transcripts() -> Generator[list[Transcript]]:
    """The transcripts of all connections that are opened in this block, tasks started in it included."""
    opened: list[Transcript] = []
    token = _listening.set(opened)
    try:
        yield opened
    finally:
        _listening.reset(token)
