"""What crossed the wires of an item, as data for reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..host.memory_host import BASE_URL
from ..transports.asgi import Headers
from ..transports.transcript import (
    AppFailed,
    Disconnected,
    MessageIn,
    MessageOut,
    Record,
    RequestChunk,
    RequestLine,
    ResponseChunk,
    ResponseHead,
    SocketAccepted,
    SocketClosed,
    Transcript,
)
from .model import WireRecord

LONGEST_BODY = 2_000
"""Characters of one piece that a report keeps."""

MOST_RECORDS = 200
"""Records of one item that a report keeps; the first ones."""

_HOST = BASE_URL.partition("://")[2].encode()


def wire_records(transcripts: Sequence[Transcript]) -> list[WireRecord]:
    """The records of all connections in the order of their times; what a life cycle says is left out."""
    spoken = [found for found in transcripts if found.of(RequestLine)]
    records = [
        record for number, transcript in enumerate(spoken, 1) for record in _records(number, transcript)
    ]
    ordered = sorted(records, key=lambda record: record.at)  # stable: one connection keeps its own order
    left_out = len(ordered) - MOST_RECORDS
    if left_out <= 0:
        return ordered
    last = ordered[MOST_RECORDS]
    cut = WireRecord(at=last.at, connection=0, side="channel", kind="cut", text=f"{left_out} more records")
    return [*ordered[:MOST_RECORDS], cut]


def _records(number: int, transcript: Transcript) -> Iterator[WireRecord]:
    asked = transcript.of(RequestLine)[0]
    to_channel = dict(asked.headers).get(b"host", _HOST) == _HOST
    for record in transcript:
        found = _told(record)
        if found is not None:
            kind, text, headers = found
            yield WireRecord(
                at=round(record.at, 6),
                connection=number,
                side="channel" if to_channel else "platform",
                kind=kind,
                text=text
                if len(text) <= LONGEST_BODY
                else f"{text[:LONGEST_BODY]}… ({len(text)} characters)",
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            )


def _told(record: Record) -> tuple[str, str, Headers] | None:
    match record:
        case RequestLine():
            return "request", f"{record.method} {record.target}", record.headers
        case RequestChunk(data=data) if data:
            return "request-body", _text(data), ()
        case ResponseHead():
            return "response", str(record.status), record.headers
        case ResponseChunk(data=data) if data:
            return "response-body", _text(data), ()
        case MessageIn() | MessageOut():
            way = "message-in" if isinstance(record, MessageIn) else "message-out"
            return way, _text(record.data), ()
        case SocketAccepted():
            return "accepted", record.subprotocol or "", record.headers
        case SocketClosed():
            return "closed", f"{record.code} {record.reason}".strip(), ()
        case Disconnected():
            return "disconnected", record.reason, ()
        case AppFailed():
            return "failed", type(record.error).__name__, ()
        case _:
            return None


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
