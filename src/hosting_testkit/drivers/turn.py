"""A turn as rules speak of it, and the native request that a driver makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

VALID = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a person or a program says to the channel, in no protocol's words.

    Args:
        text: The input.
        user: Who says it; different users are different people or callers.
        conversation: Where; None means a private chat with `user`, or the caller's own default session.
        thread: Thread or topic in the conversation.
        group: The conversation is a group and the bot is addressed in it.
        delivery_id: The platform's event id, or an idempotency key; None lets the driver make a fresh one.
        credential: `valid`, or one of the driver's `bad_credentials`.
        stream: Ask for a stream.
        reset: This is the reset command, not a text.
    """

    text: str = "hello"
    user: str = "ann"
    conversation: str | None = None
    thread: str | None = None
    group: bool = False
    delivery_id: str | None = None
    credential: str = VALID
    stream: bool = False
    reset: bool = False

    def replace(self, **changes: Any) -> Turn:
        """A copy with `changes` applied."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One native HTTP request to the channel.

    Args:
        method: HTTP method.
        path: Below the channel's path; "" is the exact path.
        headers: Sent as they are.
        body: The bytes.
    """

    method: str = "POST"
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


def json_body(payload: object) -> bytes:
    """`payload` as compact JSON."""
    return msgspec.json.encode(payload)
