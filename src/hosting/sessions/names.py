"""How a session gets its name: whose it is, and which of theirs (contract 3.2, 6.1, 6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from ..envelope import ChannelRequest
from ..errors import RequestError

ConversationScope = Literal["per_user", "per_user_per_conversation", "per_conversation"]

MAX_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class SessionName:
    """The pair that names a session; parts are compared as UTF-8 bytes, without normalisation (contract 6.10)."""

    isolation_key: str
    key: str


def checked_key(value: str, *, param: str) -> str:
    """`value` if it may be a key.

    Raises:
        RequestError: It is empty, longer than 1 KiB, or holds NUL or a lone surrogate.
    """
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise RequestError("Ids may not hold lone surrogates.", param=param) from None
    if "\0" in value:
        raise RequestError("Ids may not hold NUL characters.", param=param)
    if not 0 < size <= MAX_KEY_BYTES:
        raise RequestError(f"Ids are 1 to {MAX_KEY_BYTES} bytes of UTF-8; found {size}.", param=param)
    return value


def joined(*parts: str | None) -> str:
    """One key of several parts, such that different parts never give the same key (contract 6.3)."""
    return msgspec.json.encode(parts).decode()


def person_key(request: ChannelRequest) -> tuple[str, str] | None:
    """What the resolver is asked for: (channel, native id), scoped by tenant; None for an unknown person."""
    if request.identity is None:
        return None
    native_id = request.identity.native_id
    return request.identity.channel, joined(request.tenant_id, native_id) if request.tenant_id else native_id


def host_tracked_owner(
    request: ChannelRequest, person: str | None, scope: ConversationScope | None
) -> str | None:
    """The isolation key of a chat turn: from the person, the conversation, or both (contract 6.3).

    Args:
        request: The turn, with its place on the platform.
        person: The resolver's key for the person.
        scope: The channel's `conversation_scope`; None takes the default of the conversation's kind.
    """
    place = (request.channel, request.tenant_id, request.conversation_id, request.thread_id)
    if request.conversation_kind == "private" and scope != "per_conversation":
        return person
    if scope == "per_user":
        return person
    if scope == "per_conversation":
        return joined("conversation", *place)
    return None if person is None else joined("member", person, *place)
