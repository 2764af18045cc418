"""Commands: what a person can ask the host, rather than the target, to do (contract 13)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .envelope import EMPTY_MAP, ChannelRequest, ChannelSession, frozen_map

if TYPE_CHECKING:
    from .channel import ChannelState
    from .results import HostedRunResult

_COMMAND = re.compile(r"/(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?:\s+(?P<arguments>.*))?\Z", re.DOTALL)


def read_command(text: str) -> tuple[str, str] | None:
    """The name, in lower case, and the arguments, verbatim, of a text that has the form of a command."""
    match = _COMMAND.match(text)
    return (match["name"].lower(), match["arguments"] or "") if match else None


def is_stop_command(text: str) -> bool:
    """Whether the host takes `text` for `/stop`: the event of such a text may pass its lane (contract 4.8)."""
    found = read_command(text)
    return found is not None and found[0] == "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCommandContext:
    """What a command handler gets (contract 13.1).

    Args:
        request: The turn that held the command.
        arguments: What stood behind the name, verbatim.
        session: The session that a turn of this person would run in.
        state: The channel's own records.
        reply: Sends a text to where the command came from; any number of times, in order.
        run: Runs the target, hooks included.
        reset: Moves the person's session key to a new session.
        stop: Cancels the turn that runs in the session; True if there was one.
        commands: What `/help` lists.
        raw_event: The native payload.
    """

    request: ChannelRequest
    arguments: str
    session: ChannelSession | None
    state: ChannelState
    reply: Callable[[str], Awaitable[None]]
    run: Callable[[ChannelRequest], Awaitable[HostedRunResult[Any]]]
    reset: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[bool]]
    commands: Sequence[ChannelCommand]
    raw_event: Any = None


CommandHandler = Callable[[ChannelCommandContext], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCommand:
    """One command (contract 13.1).

    Args:
        name: Lower case, without the slash.
        description: One line, for catalogues and `/help`.
        handle: Async handler.
        expose_in_ui: Listed in native catalogues and `/help`.
        scopes: Where the platform offers it.
        localizations: Descriptions by language tag.
        metadata: For the channel.
    """

    name: str
    description: str
    handle: CommandHandler
    expose_in_ui: bool = True
    scopes: Sequence[str] = ()
    localizations: Mapping[str, str] = field(default=EMPTY_MAP)
    metadata: Mapping[str, Any] = field(default=EMPTY_MAP)

    def __post_init__(self) -> None:
        object.__setattr__(self, "localizations", frozen_map(self.localizations))
        object.__setattr__(self, "metadata", frozen_map(self.metadata))
