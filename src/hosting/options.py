"""Checks a host's options before anything is built (contract 1.5)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .channel import Channel, ChannelIngress
from .commands import ChannelCommand
from .errors import ChannelConfigurationError
from .turn.turn import ChannelEntry

_UNAVAILABLE: Mapping[str, Any] = {
    "shared_state_dir": False,
    "checkpoint_location": None,
    "identity_resolver": None,
    "identity_linker": None,
    "default_allowlist": None,
    "link_policy": None,
    "durable_task_runner": None,
    "runtime_mode": "auto",
    "allow_in_process_runner": False,
    "trust_isolation_headers": False,
}
"""Options of the contract whose feature does not exist yet, with the default that is accepted."""

_CHANNEL_UNAVAILABLE: Mapping[str, Any] = {
    "allowlist": "inherit",
    "require_link": False,
    "confidentiality_tier": None,
    "emits_verified_claims": False,
    "accept_response_target": False,
    "on_disconnect": "cancel",
}

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
    for field, default in _CHANNEL_UNAVAILABLE.items():
        if getattr(channel, field, default) not in (default, None):
            raise ChannelConfigurationError(
                "not available yet; leave the option out", channel=name, field=field
            )


def with_commands(entry: ChannelEntry, commands: Sequence[ChannelCommand]) -> ChannelEntry:
    """`entry` with its commands by name; a channel's own replace the built-in ones."""
    return dataclasses.replace(entry, commands={command.name: command for command in commands})
