"""Checks a host's options before anything is built (contract 1.5)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from .channel import Channel, ChannelContribution, ChannelIngress, ChannelRuns
from .commands import ChannelCommand
from .errors import ChannelConfigurationError
from .turn.turn import ChannelEntry

_UNAVAILABLE: Mapping[str, Any] = {
    "identity_resolver": None,
    "identity_linker": None,
    "default_allowlist": None,
    "link_policy": None,
    "trust_isolation_headers": False,
}
"""Options of the contract whose feature does not exist yet, with the default that is accepted."""

_CHANNEL_UNAVAILABLE: Mapping[str, Any] = {
    "allowlist": "inherit",
    "require_link": False,
    "confidentiality_tier": None,
    "emits_verified_claims": False,
    "accept_response_target": False,
}


def _is_command(item: object) -> bool:
    return isinstance(getattr(item, "name", None), str)


_CONTRIBUTED: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "routes": ("a Starlette route", lambda item: isinstance(item, BaseRoute)),
    "root_routes": ("a Starlette route", lambda item: isinstance(item, BaseRoute)),
    "middleware": ("Middleware", lambda item: isinstance(item, Middleware)),
    "commands": ("a ChannelCommand", _is_command),
    "on_startup": ("a coroutine function", callable),
    "on_shutdown": ("a coroutine function", callable),
}
"""What each part of a contribution holds, and how that is told."""

_ON_DISCONNECT = ("cancel", "continue")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


def refuse_unavailable(given: Mapping[str, Any]) -> None:
    """Refuses options of features that do not exist yet, unless they have their default.

    Raises:
        TypeError: No such option.
        ChannelConfigurationError: The feature is not available yet.
    """
    for name, value in given.items():
        if name not in _UNAVAILABLE:
            raise TypeError(f"AgentFrameworkHost() has no option {name!r}")
        if value != _UNAVAILABLE[name]:
            raise ChannelConfigurationError("not available yet; leave the option out", field=name)


def check_channels(channels: Sequence[object]) -> None:
    """Checks what can be told of channels before they contribute.

    Raises:
        ChannelConfigurationError: Names the channel and the field.
    """
    seen: set[str] = set()
    for channel in channels:
        if not isinstance(channel, Channel):
            raise ChannelConfigurationError(
                f"found {type(channel).__name__}, expected a channel: an object with name, path and contribute()",
                field="channels",
            )
        _check_channel(channel)
        if channel.name in seen:
            raise ChannelConfigurationError(
                f"two channels are named {channel.name!r}; give one of them another name",
                channel=channel.name,
                field="name",
            )
        seen.add(channel.name)


def _check_channel(channel: Channel) -> None:
    name, path = channel.name, channel.path
    if not _NAME.match(name) or name.startswith("hosting."):
        raise ChannelConfigurationError(
            f"found {name!r}, expected 1 to 64 of a-z, 0-9, '.', '_', '-'", channel=name, field="name"
        )
    if path and (not path.startswith("/") or path.endswith("/")):
        raise ChannelConfigurationError(
            f"found {path!r}, expected '' or a path with a slash in front and none behind",
            channel=name,
            field="path",
        )
    transport = getattr(channel, "transport", "http")
    if transport != "http" and not isinstance(channel, ChannelIngress):
        raise ChannelConfigurationError(
            f"transport is {transport!r}, so the channel needs process(event)",
            channel=name,
            field="transport",
        )
    _check_on_disconnect(channel)
    for field, default in _CHANNEL_UNAVAILABLE.items():
        if getattr(channel, field, default) not in (default, None):
            raise ChannelConfigurationError(
                "not available yet; leave the option out", channel=name, field=field
            )


def _check_on_disconnect(channel: Channel) -> None:
    """A run that goes on without its client is a background run: its channel keeps records of it (contract 7.3)."""
    given = getattr(channel, "on_disconnect", "cancel")
    if given not in _ON_DISCONNECT:
        raise ChannelConfigurationError(
            f"found {given!r}, expected 'cancel' or 'continue'", channel=channel.name, field="on_disconnect"
        )
    if given == "continue" and not isinstance(channel, ChannelRuns):
        raise ChannelConfigurationError(
            "found 'continue', expected 'cancel': this channel keeps no background runs (it has no conclude_run), so "
            "nobody could ask for the answer later",
            channel=channel.name,
            field="on_disconnect",
        )


def check_contribution(channel: Channel, found: object) -> ChannelContribution:
    """What a channel contributed, if it is that (contract 2.2).

    Raises:
        ChannelConfigurationError: It is something else, or holds something else.
    """
    if not isinstance(found, ChannelContribution):
        raise ChannelConfigurationError(
            f"contribute() returned {type(found).__name__}, expected a ChannelContribution",
            channel=channel.name,
            field="contribute",
        )
    for field, (expected, is_one) in _CONTRIBUTED.items():
        for item in getattr(found, field):
            if not is_one(item):
                raise ChannelConfigurationError(
                    f"found {type(item).__name__}, expected {expected} in each place",
                    channel=channel.name,
                    field=field,
                )
    return found


def with_commands(entry: ChannelEntry, commands: Sequence[ChannelCommand]) -> ChannelEntry:
    """`entry` with its commands by name; a channel's own replace the built-in ones."""
    return dataclasses.replace(entry, commands={command.name: command for command in commands})
