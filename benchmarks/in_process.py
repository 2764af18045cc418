"""Hosts that are called in this process, without a wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hosting import (
    AgentFrameworkHost,
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelSession,
    HostLimits,
)
from hosting.state import HostStateStore

from .places import Place, StoreKind, place

State = StoreKind
STATES: tuple[State, ...] = ("memory", "sqlite")

OWNER = "somebody"
"""Whose sessions `turn_in` names."""

_CALLER = Caller(OWNER)


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
    """A running host of `target` with a state of its own.

    Args:
        target: The agent.
        state: Where its state is; a file goes into a temporary folder.
        cached: Sessions that it keeps live; None for its default.
    """
    with place(state) as found:
        async with hosting_at(target, found, cached=cached) as host:
            yield host


@asynccontextmanager
async def hosting_at(
    target: Any, place: Place, *, store: HostStateStore | None = None, cached: int | None = None
) -> AsyncGenerator[AgentFrameworkHost]:
    """A running host of `target` on the state in `place`.

    Args:
        target: The agent.
        place: Where its state is.
        store: A store there that is to be used; None has the host open its own.
        cached: Sessions that it keeps live; None for its default.
    """
    in_folder = place.kind == "sqlite" and store is None
    host = AgentFrameworkHost(
        target,
        channels=[_NoWire()],
        state=None if in_folder else store or place.store(),
        state_dir=Path(place.where).parent if in_folder else None,
        limits=HostLimits() if cached is None else HostLimits(session_cache=cached),
    )
    async with host:
        yield host
