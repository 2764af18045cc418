"""Hosts that are called in this process, without a wire."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal

from hosting import (
    AgentFrameworkHost,
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelSession,
    HostLimits,
)

State = Literal["memory", "sqlite"]
STATES: tuple[State, ...] = ("memory", "sqlite")

_CALLER = Caller("somebody")


class _NoWire:
    """A channel without routes: turns come from `host.run`."""

    name = "direct"
    path = "/direct"

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return ChannelContribution()


def turn_in(session: str | None, text: str = "hello") -> ChannelRequest:
    """A turn in the session of that name; None for a turn without one."""
    return ChannelRequest(
        channel=_NoWire.name,
        input=text,
        caller=_CALLER,
        session=ChannelSession(key=session) if session else None,
        session_mode="auto" if session else "disabled",
    )


@asynccontextmanager
async def hosting(
    target: Any, state: State, *, cached: int | None = None
) -> AsyncGenerator[AgentFrameworkHost]:
    """A running host of `target`.

    Args:
        target: The agent.
        state: Where its state is; a file goes into a temporary folder.
        cached: Sessions that it keeps live; None for its default.
    """
    limits = HostLimits() if cached is None else HostLimits(session_cache=cached)
    with tempfile.TemporaryDirectory(prefix="hosting-benchmark-") as folder:
        host = AgentFrameworkHost(
            target, channels=[_NoWire()], state_dir=folder if state == "sqlite" else None, limits=limits
        )
        async with host:
            yield host
