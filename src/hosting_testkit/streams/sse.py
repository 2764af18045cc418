"""Server-sent events as a browser reads them, and a record of everything in them that a strict reader objects to.

Source: WHATWG HTML, section 9.2 "Server-sent events". Lines end at LF, CR or CRLF and at nothing else: U+2028, U+0085
and the other line ends of `str.splitlines` are ordinary text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Literal, Self, TypeVar

SSERule = Literal["media-type", "not-utf8", "raw-newline", "unterminated", "no-data", "bad-id", "bad-retry"]

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MEDIA_TYPE = re.compile(r'text/event-stream(\s*;\s*charset\s*=\s*"?utf-8"?)?\s*', re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SSEEvent:
    """One dispatched event; `id` and `retry` (milliseconds) are what its own frame says, `None` if nothing."""

    event: str
    data: str
    id: str | None = None
    retry: int | None = None


@dataclass(frozen=True, slots=True)
class SSEComment:
    """One comment line, without its colon and the one space after it; keep-alives are comments."""

    text: str


SSERecord = SSEEvent | SSEComment
R = TypeVar("R", bound=SSEEvent | SSEComment)


@dataclass(frozen=True, slots=True)
class SSEViolation:
    """Something a strict reader objects to; `frame` counts frames from 1, 0 is the response head."""

    rule: SSERule
    detail: str
    frame: int


class SSEFormatError(AssertionError):
    """A stream that was read strictly broke the format; `violations` says how and where."""

    def __init__(self, violations: Iterable[SSEViolation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.rule} in frame {v.frame}: {v.detail}" for v in self.violations))


class SSEParser:
    """Incremental parser: `feed` it bytes cut anywhere and get what they complete; `finish` at the end.

    It never stops at bad input: it reads on as a browser does and keeps what it found in `violations`.
    """

    def __init__(self) -> None:
        self.violations: list[SSEViolation] = []
        self.last_event_id = ""
        self._lines = _Lines()
        self._line_ends: set[bytes] = set()
        self._frame = _Frame()
        self._frame_number = 1

    def feed(self, data: bytes) -> list[SSERecord]:
        """The events and comments that `data` completes, in order."""
        records: list[SSERecord] = []
        for line in self._lines.feed(data):
            record = self._read_line(line) if line else self._end_frame()
            if record is not None:
                records.append(record)
        self._check_line_ends()
        return records

    def finish(self) -> None:
        """The stream has ended: a frame without its blank line is lost, as in a browser, and a violation."""
        self._check_line_ends()
        if self._lines.rest or self._frame.fields:
            self._object("unterminated", "the stream ends inside a frame; end each frame with a blank line")

    def _object(self, rule: SSERule, detail: str) -> None:
        self.violations.append(SSEViolation(rule, detail, self._frame_number))

    def _check_line_ends(self) -> None:
        """A bare CR among other line ends is a CR of the payload that has cut a line in two."""
        seen = self._lines.ends
        if b"\r" in seen and len(seen) > 1 and seen != self._line_ends:
            self._object(
                "raw-newline", f"line ends {sorted(seen)} are mixed; a CR in data needs its own line"
            )
        self._line_ends = set(seen)

    def _read_line(self, line: bytes) -> SSEComment | None:
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            self._object("not-utf8", f"{error.reason} at byte {error.start} of line {line!r}")
            text = line.decode(errors="replace")
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if not name:
            return SSEComment(value)
        self._read_field(name, value)
        return None

    def _read_field(self, name: str, value: str) -> None:
        frame = self._frame
        frame.fields += 1
        match name:
            case "data":
                frame.data.append(value)
            case "event":
                frame.event = value
            case "id" if "\0" not in value:
                frame.id = value
            case "retry" if value.isascii() and value.isdigit():
                frame.retry = int(value)
            case "id":
                self._object("bad-id", f"id {value!r} holds NUL, so readers ignore it")
            case "retry":
                self._object("bad-retry", f"retry {value!r} is not ASCII digits, so readers ignore it")
            case _:
                self._object("raw-newline", f"line {name!r} is no field; was a newline left inside data?")

    def _end_frame(self) -> SSEEvent | None:
        frame, self._frame = self._frame, _Frame()
        if frame.id is not None:
            self.last_event_id = frame.id
        if frame.event and not frame.data:
            self._object("no-data", f"event {frame.event!r} without a data line is never dispatched")
        if frame.fields:
            self._frame_number += 1
        if not frame.data:
            return None
        return SSEEvent(frame.event or "message", "\n".join(frame.data), frame.id, frame.retry)


def _no_lines() -> list[str]:
    return []


@dataclass(slots=True)
class _Frame:
    event: str = ""
    data: list[str] = field(default_factory=_no_lines)
    id: str | None = None
    retry: int | None = None
    fields: int = 0


class _Lines:
    """Cuts bytes into lines. A CR ends its line at once; an LF that follows it in the next chunk belongs to it."""

    def __init__(self) -> None:
        self.ends: set[bytes] = set()
        self._buffer = bytearray()
        self._searched = 0
        self._after_cr = False
        self._first = True

    @property
    def rest(self) -> bytes:
        """The line that has begun and not ended."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        if self._after_cr and data:
            follows = data.startswith(b"\n")
            self.ends.add(b"\r\n" if follows else b"\r")
            data, self._after_cr = data[follows:], False
        self._buffer += data
        lines: list[bytes] = []
        start = 0
        for end in _LINE_END.finditer(self._buffer, self._searched):
            lines.append(self._line(start, end.start()))
            start = end.end()
            self._after_cr = end.group() == b"\r" and start == len(self._buffer)
            if not self._after_cr:
                self.ends.add(end.group())
        del self._buffer[:start]
        self._searched = len(self._buffer)
        return lines

    def _line(self, start: int, end: int) -> bytes:
        line = bytes(self._buffer[start:end])
        if self._first:
            self._first = False
            return line.removeprefix(_BOM)
        return line


class SSEReading(AsyncIterator[R]):
    """The records of one byte stream, as they arrive; `parser` keeps violations and the last event id."""

    def __init__(self, chunks: AsyncIterable[bytes], keep: tuple[type[R], ...], *, strict: bool) -> None:
        self.parser = SSEParser()
        self._chunks = aiter(chunks)
        self._keep = keep
        self._strict = strict
        self._ready: deque[R] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while not self._ready:
            self._check()
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self.parser.finish()
                self._check()
                raise
            self._ready.extend(record for record in self.parser.feed(chunk) if isinstance(record, self._keep))
        return self._ready.popleft()

    def _check(self) -> None:
        if self._strict and self.parser.violations:
            raise SSEFormatError(self.parser.violations)


def sse_events(chunks: AsyncIterable[bytes], *, strict: bool = True) -> SSEReading[SSEEvent]:
    """Read events as they arrive: `async for event in sse_events(response.aiter_bytes())`.

    Raises:
        SSEFormatError: if `strict`, at the first violation, after the events that came before it.
    """
    return SSEReading(chunks, (SSEEvent,), strict=strict)


def sse_records(chunks: AsyncIterable[bytes], *, strict: bool = True) -> SSEReading[SSERecord]:
    """`sse_events` with the comments in their places."""
    return SSEReading(chunks, (SSEEvent, SSEComment), strict=strict)


def validate_sse(content_type: str, body: bytes) -> list[SSEViolation]:
    """Everything that a strict reader objects to in a whole response, the head first."""
    parser = SSEParser()
    parser.feed(body)
    parser.finish()
    if _MEDIA_TYPE.fullmatch(content_type.strip()):
        return parser.violations
    detail = f"found content-type {content_type!r}, expected text/event-stream, with no charset but utf-8"
    return [SSEViolation("media-type", detail, 0), *parser.violations]
