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
from ..runs.log import RunLogReader
from ..sessions.book import SessionBook
from ..sessions.history import HostHistoryProvider
from ..sessions.locks import TurnLocks
from ..state.base import HostStateStore
from ..targets.base import Target
from ..telemetry import TurnTelemetry
from .late_ends import LateEnds
from .registry import RunningTurns
from .run_times import RunTimes
from .slots import RunSlots


class IdentityResolver(Protocol):
    """From a request's person to the isolation key (contract 9.1)."""

    async def resolve(self, request: ChannelRequest) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnServices:
    """The parts of one host that its turns share.

    Args:
        instance: Id of this host among others on the store.
        history: The host's history provider, where the target takes one; None for the other history modes.
        background_times: How long a background run may take; `run_times` is for the others.
        wake_inbox: Says that there is new work.
        wake_outbox: Says that the outbox has new rows.
        nudge_sweeper: Says that the host is in use, so that expired rows go.
        late_ends: Stores ends of turns once the store is back.
    """

    target: Target
    instance: str
    store: HostStateStore
    sessions: SessionBook
    history: HostHistoryProvider | None
    locks: TurnLocks
    slots: RunSlots
    running: RunningTurns
    run_times: RunTimes
    background_times: RunTimes
    logs: RunLogReader
    resolver: IdentityResolver
    clock: TimeSource
    ids: IdSource
    limits: HostLimits
    telemetry: TurnTelemetry
    logger: logging.Logger
    wake_inbox: Callable[[], None]
    wake_outbox: Callable[[], None]
    nudge_sweeper: Callable[[], None]
    late_ends: LateEnds
    debug: bool = False
