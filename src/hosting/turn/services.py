"""What the steps of a turn work with: the host's parts, handed over once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..clock import TimeSource
from ..envelope import ChannelRequest
from ..ids import IdSource
from ..limits import HostLimits
from ..sessions.book import SessionBook
from ..sessions.history import HostHistoryProvider
from ..sessions.locks import SessionLocks
from ..state.base import HostStateStore
from ..targets.base import Target
from ..telemetry import TurnTelemetry
from .registry import RunningTurns
from .slots import RunSlots


class IdentityResolver(Protocol):
    """From a request's person to the isolation key (contract 9.1)."""

    async def resolve(self, request: ChannelRequest) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnServices:
    """The parts of one host that its turns share.

    Args:
        history: The host's history provider, where the target takes one; None for the other history modes.
        wake_outbox: Says that the outbox has new rows.
        nudge_sweeper: Says that the host is in use, so that expired rows go.
    """

    target: Target
    store: HostStateStore
    sessions: SessionBook
    history: HostHistoryProvider | None
    locks: SessionLocks
    slots: RunSlots
    running: RunningTurns
    resolver: IdentityResolver
    clock: TimeSource
    ids: IdSource
    limits: HostLimits
    telemetry: TurnTelemetry
    logger: logging.Logger
    wake_outbox: Callable[[], None]
    nudge_sweeper: Callable[[], None]
    debug: bool = False
