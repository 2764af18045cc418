"""One turn at a time per session, in the order in which turns asked (contract 4.8, 6.7, 6.8)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import RateLimited, TurnInProgress
from ..limits import TurnPolicy
from ..state.base import Statement
from .names import SessionName


class Holder(Protocol):
    """Who holds a session: something an interrupting turn can cancel."""

    @property
    def lock_id(self) -> str:
        """An id that no other holder ever has, on any host."""
        ...

    def interrupt(self) -> None: ...


class TurnLocks(Protocol):
    """What turns need of locks, whether one host has the sessions or several share them."""

    def holder(self, name: SessionName) -> Holder | None:
        """Who runs in this session on this host."""
        ...

    async def is_held(self, name: SessionName) -> bool:
        """Whether a turn runs in this session on any host."""
        ...

    async def ask_to_end(self, name: SessionName) -> bool:
        """Asks the turn that runs in this session on another host to end; False if there is none."""
        ...

    async def acquire(self, name: SessionName, holder: Holder, *, first: bool = False) -> None:
        """Waits for its turn."""
        ...

    def release_with(self, name: SessionName, holder: Holder) -> Sequence[Statement]:
        """What goes into the unit of the turn's end."""
        ...

    def released(self, name: SessionName, holder: Holder) -> None:
        """That unit was committed."""
        ...

    async def release(self, name: SessionName, holder: Holder) -> None:
        """Hands the session to the next in line, where that has not happened."""
        ...


_around: ContextVar[frozenset[Holder]] = ContextVar("hosting_session_holders", default=frozenset())
"""Those that the current code was started in."""


def nested_in(holder: Holder) -> bool:
    """Whether the current code was started by that holder, which cannot end before it."""
    return holder in _around.get()


def around(holder: Holder) -> None:
    """From here on the current code runs inside `holder`."""
    _around.set(_around.get() | {holder})


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

    async def is_held(self, name: SessionName) -> bool:
        """Whether a turn runs in this session."""
        return name in self._lanes

    async def ask_to_end(self, name: SessionName) -> bool:
        """There is no other host."""
        return False

    def release_with(self, name: SessionName, holder: Holder) -> Sequence[Statement]:
        """Nothing: the store knows of no locks."""
        return ()

    def released(self, name: SessionName, holder: Holder) -> None:
        """Does nothing: the session is handed on when the turn's task is done with it."""

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
        elif nested_in(lane.holder):
            raise TurnInProgress(
                "This turn was started inside a turn of the same session, which cannot end before it."
            )
        elif self._policy == "reject":
            raise TurnInProgress("The session has a turn in progress.", retry_after=1.0)
        else:
            await self._wait(lane, name, holder, first=first)
        around(holder)

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
                self._hand_on(name)
            else:
                lane.waiting = deque(e for e in lane.waiting if e is not entry)
            raise

    async def release(self, name: SessionName, holder: Holder) -> None:
        """Hands the session to the next in line."""
        self._hand_on(name)

    def _hand_on(self, name: SessionName) -> None:
        lane = self._lanes[name]
        _around.set(_around.get() - {lane.holder})
        while lane.waiting:
            granted, holder = lane.waiting.popleft()
            if not granted.done():
                lane.holder = holder
                granted.set_result(None)
                return
        del self._lanes[name]
