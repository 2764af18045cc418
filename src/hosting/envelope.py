"""What crosses the line between a channel and the host (contract 3): frozen, keyword-only, JSON at heart.

Equality of the small value types is by what identifies them; attributes never count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SessionMode = Literal["auto", "required", "disabled"]
ConversationKind = Literal["private", "group"]


class ReadOnlyMap(Mapping[str, Any]):
    """A mapping that copies its source and refuses writes, yet deep-copies, pickles and hashes.

    `types.MappingProxyType` breaks copying and JSON (contract 3.3).
    """

    __slots__ = ("_items",)

    def __init__(self, source: Mapping[str, Any] | None = None) -> None:
        self._items: dict[str, Any] = dict(source) if source else {}

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"ReadOnlyMap({self._items!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ReadOnlyMap):
            return self._items == other._items
        return self._items == other

    def __hash__(self) -> int:
        return hash(frozenset(self._items))  # values need not be hashable; equal maps have equal keys

    def __reduce__(self) -> tuple[type[ReadOnlyMap], tuple[dict[str, Any]]]:
        return (ReadOnlyMap, (self._items,))

    def to_dict(self) -> dict[str, Any]:
        """A plain copy that the caller may change."""
        return dict(self._items)


EMPTY_MAP = ReadOnlyMap()


def frozen_map(source: Mapping[str, Any] | None) -> ReadOnlyMap:
    """`source` as a `ReadOnlyMap`, copied unless it is one already."""
    if not source:
        return EMPTY_MAP
    return source if isinstance(source, ReadOnlyMap) else ReadOnlyMap(source)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who an API channel authenticated (contract 17.2). Callers compare by `id`.

    Args:
        id: Stable, unique; it becomes the isolation key of what the caller owns.
        claims: Verified claims of the credential.
    """

    id: str
    claims: Mapping[str, Any] = field(default=EMPTY_MAP, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "claims", frozen_map(self.claims))


@dataclass(frozen=True, slots=True)
class ChannelIdentity:
    """A person on one channel (contract 3.2). Compares by channel and native id.

    Args:
        channel: The channel's name.
        native_id: The platform's own stable id of the person; never a display name.
        attributes: What else the platform said of them.
    """

    channel: str
    native_id: str
    attributes: Mapping[str, Any] = field(default=EMPTY_MAP, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", frozen_map(self.attributes))


@dataclass(frozen=True, slots=True)
class ChannelSession:
    """Names a session: the pair (`isolation_key`, `key`) (contract 3.2).

    Args:
        isolation_key: Whose sessions these are; None takes the caller's or the resolver's.
        key: The protocol's own thread id; None takes the isolation key's current alias.
        conversation_id: The provider's or platform's conversation, where the target needs it.
        parent_key: A new session starts as this session of the same owner was when its last turn ended (contract 6.6).
        continue_for: Seconds for which a turn can be continued by its response id (contract 6.6). A session that goes by
            such an id is forgotten then. None keeps it for good, and lets other turns be continued for a day.
        attributes: Free for hooks.
    """

    isolation_key: str | None = None
    key: str | None = field(default=None, kw_only=True)
    conversation_id: str | None = field(default=None, kw_only=True)
    parent_key: str | None = field(default=None, kw_only=True)
    continue_for: float | None = field(default=None, kw_only=True)
    attributes: Mapping[str, Any] = field(default=EMPTY_MAP, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", frozen_map(self.attributes))


@dataclass(frozen=True, slots=True)
class Destination:
    """A place to deliver to; what is compared, stored and pushed to (contract 3.2)."""

    channel: str
    native_id: str | None = None
    conversation_id: str | None = None
    thread_id: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        return {
            "channel": self.channel,
            "native_id": self.native_id,
            "conversation_id": self.conversation_id,
            "thread_id": self.thread_id,
        }


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """Where the reply goes (contract 10.1). Only `originating` exists so far."""

    kind: Literal["originating"] = "originating"


ORIGINATING = ResponseTarget()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRequest:
    """One inbound turn as a channel hands it to the host (contract 3.1).

    Args:
        channel: Name of the channel; a hook may not change it.
        operation: What the protocol calls this, such as `responses.create` or `message`.
        input: `AgentRunInputs` for an agent, anything for a workflow.
        caller: Who an API channel authenticated; a hook may not change it.
        session: Names the session; None lets the host compute it (contract 6.3).
        session_mode: `auto`, `required` or `disabled` (contract 6.1).
        options: Run options that the caller asked for, allow-listed by the channel.
        identity: The person, on channels that know one.
        tenant_id: Bot, guild or tenant that scopes the platform's ids.
        conversation_id: Where on the platform.
        thread_id: Thread or topic inside the conversation.
        conversation_kind: `private` or `group`; decides the default session scope (contract 6.3).
        response_target: Where the reply goes.
        stream: Whether the caller asked for a stream.
        background: Whether the caller asked for a background run.
        delivery_id: The platform's event id, or an API caller's `Idempotency-Key` (contract 4.3).
        metadata: The protocol's own.
        attributes: The host's and the app's; unknown body keys under `attributes["body"]`.
        client_state: Reaches the target as `session.state["client_state"]` (contract 3.6).
        client_tools: Tools that the caller runs itself.
        forwarded_props: Properties that the protocol forwards to the target untouched.
        response_id: The id the channel will answer under; None lets the host make one.
    """

    channel: str
    operation: str = "message"
    input: Any = None
    caller: Caller | None = None
    session: ChannelSession | None = None
    session_mode: SessionMode = "auto"
    options: Mapping[str, Any] = field(default=EMPTY_MAP)
    identity: ChannelIdentity | None = None
    tenant_id: str | None = None
    conversation_id: str | None = None
    thread_id: str | None = None
    conversation_kind: ConversationKind = "private"
    response_target: ResponseTarget = ORIGINATING
    stream: bool = False
    background: bool = False
    delivery_id: str | None = None
    metadata: Mapping[str, Any] = field(default=EMPTY_MAP)
    attributes: Mapping[str, Any] = field(default=EMPTY_MAP)
    client_state: Any = None
    client_tools: Sequence[Any] = ()
    forwarded_props: Mapping[str, Any] = field(default=EMPTY_MAP)
    response_id: str | None = None

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "options", frozen_map(self.options))
        set_field(self, "metadata", frozen_map(self.metadata))
        set_field(self, "attributes", frozen_map(self.attributes))
        set_field(self, "forwarded_props", frozen_map(self.forwarded_props))

    def replace(self, **changes: Any) -> ChannelRequest:
        """A copy with `changes` applied."""
        return dataclasses.replace(self, **changes)

    @property
    def destination(self) -> Destination:
        """Where this turn came from (contract 0: originating destination)."""
        native_id = self.identity.native_id if self.identity else None
        return Destination(self.channel, native_id, self.conversation_id, self.thread_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """A platform event as a webhook or polling channel offers it to `accept` (contract 4.3, 4.8).

    Args:
        delivery_id: The platform's event id, unique within the channel.
        payload: The event in native form, JSON; `process` gets it back, also after a restart.
        tenant_id: Scopes the ids below.
        conversation_id: Where on the platform.
        thread_id: Thread or topic inside the conversation.
        native_id: The sender.
        conversation_kind: In private chats the sender is part of the lane.
        bypass_lane: For what may not queue: cancel, `/stop`, the answer to an open request.
        keep_for: Seconds that the claim is kept; at least as long as the platform redelivers.
    """

    delivery_id: str
    payload: Any
    tenant_id: str | None = None
    conversation_id: str | None = None
    thread_id: str | None = None
    native_id: str | None = None
    conversation_kind: ConversationKind = "private"
    bypass_lane: bool = False
    keep_for: float = 86_400.0
