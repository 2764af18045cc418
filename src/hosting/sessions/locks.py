"""One turn at a time per session, in the order in which turns asked (contract 4.8, 6.7, 6.8)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import RateLimited, TurnInProgress
from ..limits import TurnPolicy
from .names import SessionName


class Holder(Protocol):
    """Who holds a session: something an interrupting turn can cancel."""

    def interrupt(self) -> None: ...


_around: ContextVar[frozenset[Holder]] = ContextVar("hosting_session_holders", default=frozenset())
"""Those that the current code was started in."""


@dataclass(slots=True)
class _Lane:
    holder: Holder
    waiting: deque[tuple[asyncio.Future[None], Holder]] = field(
        default_factory=deque["tuple[asyncio.Future[None], Holder]"]
    )


class SessionLocks:
    """First come, first served locks by session name; a name costs memory only while it is held.

    Args:
        policy: What a turn does that finds its session busy.
        queue: Turns that may wait for one session.
    """

    def __init__(self, *, policy: TurnPolicy, queue: int) -> None:
        self._policy = policy
        self._queue = queue
        self._lanes: dict[SessionName, _Lane] = {}

    def holder(self, name: SessionName) -> Holder | None:
        """Who runs in this session now."""
        lane = self._lanes.get(name)
        return lane.holder if lane else None

    async def acquire(self, name: SessionName, holder: Holder, *, first: bool = False) -> None:
        """Waits for its turn.

        Args:
            name: The session.
            holder: Who asks.
            first: Goes ahead of those who wait: the answer to an open request (contract 6.8).

        Raises:
            TurnInProgress: The policy is `reject`, or the turn was started inside a turn of the same session.
            RateLimited: Too many wait already.
        """
        lane = self._lanes.get(name)
        if lane is None:
            self._lanes[name] = _Lane(holder)
        elif lane.holder in _around.get():
            raise TurnInProgress(
                "This turn was started inside a turn of the same session, which cannot end before it."
            )
        elif self._policy == "reject":
            raise TurnInProgress("The session has a turn in progress.", retry_after=1.0)
        else:
            await self._wait(lane, name, holder, first=first)
        _around.set(_around.get() | {holder})

    async def _wait(self, lane: _Lane, name: SessionName, holder: Holder, *, first: bool) -> None:
        if len(lane.waiting) >= self._queue and not first:
            raise RateLimited("Too many turns wait for this session.", retry_after=1.0)
        granted = asyncio.get_running_loop().create_future()
        entry = (granted, holder)
        if self._policy == "interrupt":
            for older in (lane.holder, *(waiting for _, waiting in lane.waiting)):
                older.interrupt()
        lane.waiting.appendleft(entry) if first else lane.waiting.append(entry)
        try:
            await granted
        except BaseException:
            if granted.done() and not granted.cancelled():  # granted and cancelled at once
                self.release(name)
            else:
                lane.waiting = deque(e for e in lane.waiting if e is not entry)
            raise

    def release(self, name: SessionName) -> None:
        """Hands the session to the next in line."""
        lane = self._lanes[name]
        _around.set(_around.get() - {lane.holder})
        while lane.waiting:
            granted, holder = lane.waiting.popleft()
            if not granted.done():
                lane.holder = holder
                granted.set_result(None)
                return
        del self._lanes[name]
