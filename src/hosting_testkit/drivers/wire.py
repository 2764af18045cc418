"""What came out of a channel, native and decoded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..streams.sse import SSEEvent, SSEParser


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformCall:
    """One request that the channel sent to its platform, with the platform's answer."""

    method: str
    path: str
    body: bytes
    status: int
    answer: bytes = b""

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        """The platform's answer decoded."""
        return json.loads(self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Everything that left the channel because of one inbound request.

    Args:
        status: HTTP status of the response to the inbound request; over a WebSocket the one of a refused handshake, or
            what the driver's `frame_status` reads.
        headers: Its headers, names in lower case.
        body: Its body, as far as it was read.
        complete: The response was read to its end.
        calls: What the channel sent to its platform, in order.
        frames: The messages that came over a WebSocket, in order.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    complete: bool = True
    calls: Sequence[PlatformCall] = ()
    frames: Sequence[str | bytes] = ()

    @property
    def json(self) -> Any:
        """The response body decoded."""
        return json.loads(self.body)

    @property
    def messages(self) -> list[Any]:
        """The text messages of a WebSocket, decoded."""
        return [json.loads(frame) for frame in self.frames if isinstance(frame, str)]

    @property
    def is_sse(self) -> bool:
        """The response is an event stream."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def events(self) -> list[SSEEvent]:
        """The events of an event stream, comments left out."""
        return [record for record in SSEParser().feed(self.body) if isinstance(record, SSEEvent)]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a person can see. A later one with the same `item` replaces it (an edited message).

    Args:
        text: The text.
        item: Which message or output item this is; None for one of its own.
        to: Where it went, on channels that send: the conversation.
        thread: The thread or topic it went to.
        mentions: Whom the platform tells that they are meant; one word for all, where it can tell everybody.
    """

    text: str
    item: str | None = None
    to: str | None = None
    thread: str | None = None
    mentions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file that went out.

    Args:
        content: Its bytes.
        media_type: As the wire says it.
        name: As the wire says it.
        to: Where it went, on channels that send: the conversation.
        thread: The thread or topic it went to.
    """

    content: bytes
    media_type: str
    name: str = ""
    to: str | None = None
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """The message `item` is gone (a deleted message)."""

    item: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text that is added to `item`."""

    text: str
    item: str = "0"


@dataclass(frozen=True, slots=True)
class Error:
    """The protocol's own error."""

    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Terminal:
    """The event that ends a stream; `texts` where it repeats the final items."""

    status: str
    texts: Sequence[str] | None = None


Out = Text | Delta | File | Removed | Error | Terminal


@dataclass(frozen=True, slots=True)
class Reply:
    """A wire with what the driver's decoder read from it."""

    wire: Wire
    outs: Sequence[Out]

    @property
    def status(self) -> int:
        """HTTP status of the response."""
        return self.wire.status

    @property
    def texts(self) -> list[str]:
        """The texts a person ends up with, in order: deltas joined by item, edits replaced, deleted ones gone."""
        shown: dict[object, str] = {}
        for number, out in enumerate(self.outs):
            if isinstance(out, Delta):
                shown[out.item] = shown.get(out.item, "") + out.text
            elif isinstance(out, Text):
                shown[number if out.item is None else out.item] = out.text
            elif isinstance(out, Removed):
                shown.pop(out.item, None)
        return list(shown.values())

    @property
    def text(self) -> str:
        """All texts joined."""
        return "".join(self.texts)

    @property
    def files(self) -> list[File]:
        """The files that came out."""
        return [out for out in self.outs if isinstance(out, File)]

    @property
    def errors(self) -> list[Error]:
        """The errors told."""
        return [out for out in self.outs if isinstance(out, Error)]

    @property
    def terminals(self) -> list[Terminal]:
        """The terminal events."""
        return [out for out in self.outs if isinstance(out, Terminal)]

    @property
    def after_terminal(self) -> Sequence[Out]:
        """What came after the first terminal event."""
        first = next((n for n, out in enumerate(self.outs) if isinstance(out, Terminal)), None)
        return () if first is None else self.outs[first + 1 :]
