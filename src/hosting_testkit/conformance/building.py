"""Whether a host takes certain channels: builds the application and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from hosting import AgentFrameworkHost, Channel, ChannelConfigurationError

from ..targets.echo import Echo


def refused(channels: Sequence[Channel]) -> ChannelConfigurationError | None:
    """Why no application can be built with these channels, or None."""
    try:
        _ = AgentFrameworkHost(Echo(), channels=channels).app
    except ChannelConfigurationError as error:
        return error
    return None
