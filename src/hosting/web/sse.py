"""Server-Sent Events as bytes (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re
from functools import lru_cache

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment that every reader skips; it shows the connection to be alive (contract 7.6)."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_UNSAFE_IN_FIELD = re.compile("[\r\n\0]")


def sse_event(data: bytes | str, *, event: str | None = None, id: str | None = None) -> bytes:
    """One event as it goes on the wire.

    Args:
        data: The payload; each of its lines becomes a `data` line of its own. Lone surrogates of a `str` become
            U+FFFD, as UTF-8 has no place for them.
        event: The event's type; readers take `message` where it is missing.
        id: Sets the reader's last event id. Only for protocols that can resume after it.

    Raises:
        ValueError: `event` or `id` holds a line break or NUL, which would start another field.
    """
    payload = data if isinstance(data, bytes) else _utf8(data)
    if b"\n" in payload or b"\r" in payload:
        payload = b"\ndata: ".join(_LINE_END.split(payload))
    if event is None and id is None:
        return b"data: %b\n\n" % payload
    head = b"" if event is None else _event_line(event)
    if id is not None:
        head += b"id: %b\n" % _field("id", id)
    return b"%bdata: %b\n\n" % (head, payload)


def sse_comment(text: str = "") -> bytes:
    """A comment, one line for each of `text`; readers skip it."""
    return b": %b\n\n" % b"\n: ".join(_LINE_END.split(_utf8(text)))


@lru_cache(maxsize=256)
def _event_line(event: str) -> bytes:
    """Kept, as a protocol has few event types and sends them often."""
    return b"event: %b\n" % _field("event", event)


def _field(name: str, value: str) -> bytes:
    if _UNSAFE_IN_FIELD.search(value):
        raise ValueError(f"found a line break or NUL in the SSE field {name!r}, expected one plain line")
    return _utf8(value)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
