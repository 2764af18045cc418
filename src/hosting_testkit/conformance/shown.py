"""What of a reply somebody could read: a person, or whoever looks at the bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..drivers.wire import Reply, Wire

_ID = re.compile(r"[A-Za-z0-9_-]{6,}")


def told(reply: Reply) -> str:
    """Errors and texts, as a client or a person is told them."""
    return " ".join([*(error.message for error in reply.errors), *reply.texts])


def seen(wire: Wire) -> str:
    """Everything that left the channel: headers, body, frames, calls to the platform."""
    frames = [frame.encode() if isinstance(frame, str) else frame for frame in wire.frames]
    parts = [str(dict(wire.headers)).encode(), wire.body, *frames, *(call.body for call in wire.calls)]
    return b"\n".join(parts).decode(errors="replace")


def logged_id(text: str, logs: Sequence[str]) -> str | None:
    """The first word of `text` that looks like an id and stands in the log too."""
    log = "\n".join(logs)
    words = (word for word in _ID.findall(text) if any(character.isdigit() for character in word))
    return next((word for word in words if word in log), None)
