"""Events as bytes. The `event` field repeats the type; there is no `id`, and `[DONE]` is the last frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from .wire import Event

DONE = b"data: [DONE]\n\n"

_encoder = msgspec.json.Encoder()
_heads: dict[str, bytes] = {}


def encode(value: Any) -> bytes:
    """`value` as JSON."""
    return _encoder.encode(value)


def sse_frame(events: Sequence[Event]) -> bytes:
    """All `events` as one chunk of an event stream.

    JSON has no raw line break, so each event takes one `data` line, and one call encodes them all.
    """
    lines = _encoder.encode_lines(events).split(b"\n")
    return b"".join(
        [_head(event["type"]) + line + b"\n\n" for event, line in zip(events, lines, strict=False)]
    )


def _head(kind: str) -> bytes:
    head = _heads.get(kind)
    if head is None:
        head = _heads[kind] = f"event: {kind}\ndata: ".encode()
    return head
