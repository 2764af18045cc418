"""A turn as rules speak of it, and the native request that a driver makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

VALID = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a person or a program says to the channel, in no protocol's words.

    Args:
        text: The input.
        user: Who says it; different users are different people or callers.
        conversation: Where; None means a private chat with `user`, or the caller's own default session.
        thread: Thread or topic in the conversation.
        group: The conversation is a group.
        addressed: How a text in a group is meant for the bot: by a mention, as a reply to it, by somebody else's
            mention, by a look-alike of its own, or not at all.
        mention: Where that mention stands: before the text, behind its first word, or behind the last. A driver that can
            write it in one place only leaves it there; then only texts of this form are tried.
        delivery_id: The platform's event id, or an idempotency key; None lets the driver make a fresh one.
        credential: `valid`, or one of the driver's `bad_credentials`.
        stream: Ask for a stream.
        background: Ask for a run that goes on by itself; with `stream` its events are read at once.
        reset: This is the reset command, not a text.
        command: A command by this name; `text` holds its arguments.
        form: How the command is written: plainly, in upper case, with the bot's own name, or with another bot's.
        author: Who wrote it: a person, another bot, or this bot itself.
        display: The display name of `user`, where platforms send one; None for the driver's own.
        options: Options for the target, by the names in the claim `caller_options`.
        extra: Further keys of the body that no protocol knows.
        hosting: The developer's own block in the body.
        parent: What `ChannelDriver.reference` read from an earlier answer: this turn continues there.
        attachments: Files that come along.
        client_state: The caller's own state, where bodies hold it.
    """

    text: str = "hello"
    user: str = "ann"
    conversation: str | None = None
    thread: str | None = None
    group: bool = False
    addressed: Literal["mention", "reply", "other", "lookalike", "no"] = "mention"
    mention: Literal["first", "inside", "last"] = "first"
    delivery_id: str | None = None
    credential: str = VALID
    stream: bool = False
    background: bool = False
    reset: bool = False
    command: str | None = None
    form: Literal["plain", "upper", "own_name", "other_bot"] = "plain"
    author: Literal["person", "self", "bot"] = "person"
    display: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    hosting: Mapping[str, Any] | None = None
    parent: str | None = None
    attachments: Sequence[Attachment] = ()
    client_state: Any = None

    def replace(self, **changes: Any) -> Turn:
        """A copy with `changes` applied."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One native request.

    Args:
        method: HTTP method; `WEBSOCKET` opens a WebSocket and sends `body` as its first text message.
        path: Below the channel's path; "" is the exact path.
        headers: Sent as they are.
        body: The bytes.
        to: Who takes it: the channel, or the simulator of its platform, which lets the channel have it in its turn.
    """

    method: str = "POST"
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    to: Literal["channel", "platform"] = "channel"

    def with_headers(self, headers: Mapping[str, str]) -> Inbound:
        """A copy with these headers too."""
        return replace(self, headers={**self.headers, **headers})


def json_body(payload: object) -> bytes:
    """`payload` as compact JSON."""
    return msgspec.json.encode(payload)
