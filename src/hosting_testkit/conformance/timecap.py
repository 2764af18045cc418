"""Ends an item whose event loop is blocked, which virtual time cannot see: by what one callback does, not by the clock
on the wall, so that a machine that is slow or busy with something else ends nothing."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..virtual_loop import VirtualLoop
from .own_lines import OwnLines

TICKS = 20
"""How often a callback is looked at before it is given up."""

_IDLE = 0.001
"""Seconds of processor time between two looks below which a thread waits and does not compute."""

_exempt = 0


class ItemTimeout(BaseException):
    """A callback does not end; the text says where it stood. Not an `Exception`: nobody may swallow it."""


@contextmanager
def kit_waits() -> Generator[None]:
    """While the block runs, the kit itself blocks the loop, and has a bound of its own for that."""
    global _exempt
    _exempt += 1
    try:
        yield
    finally:
        _exempt -= 1


def hush(loop: asyncio.AbstractEventLoop | None) -> None:
    """The loop is given up: what breaks while it is torn down is of no interest."""
    if loop is not None:
        loop.set_exception_handler(_ignore)


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None: ...


class CallbackCap:
    """Watches the callbacks of a loop, one at a time: `look` now and then, `turn` between two of them.

    Args:
        seconds: How much a callback may compute, in seconds of processor time, or sleep.
        lines: Tells the author's lines from others.
        processor: Tells the thread's processor time.

    Attributes:
        seconds: As given.
        lines: As given.
    """

    def __init__(
        self, seconds: float, lines: OwnLines, processor: Callable[[], float] = time.thread_time
    ) -> None:
        self.seconds = seconds
        self._loop: VirtualLoop | None = None
        self.lines = lines
        self._processor = processor
        self._turns = 0
        self._seen = -1
        self._begun = self._last = 0.0
        self._idle = 0
        self._timeout: ItemTimeout | None = None

    def watch(self, loop: VirtualLoop) -> None:
        """Has `loop` tell of its turns."""
        self._loop = loop
        loop.watch_turns(self.turn)

    def turn(self) -> None:
        """A callback has ended. Raises `ItemTimeout` again if somebody has swallowed it."""
        self._turns += 1
        if self._timeout is not None:
            timeout, self._timeout = self._timeout, None
            hush(self._loop)
            raise timeout

    def look(self, frame: FrameType) -> None:
        """Notes what the callback has done since the last look.

        Args:
            frame: Where the thread stands.

        Raises:
            ItemTimeout: It computes or sleeps for too long.
        """
        now = self._processor()
        if _exempt or (self._loop and self._loop.waits_outside) or self._turns != self._seen:
            self._seen, self._begun, self._idle = self._turns, now, 0
        else:
            self._idle = self._idle + 1 if now - self._last < _IDLE else 0
        self._last = now
        computed = now - self._begun >= self.seconds
        if computed or self._idle >= TICKS:
            self._begun, self._idle = now, 0
            self._timeout = ItemTimeout(self._text("computed" if computed else "slept", frame))
            raise self._timeout

    def _text(self, did: str, frame: FrameType) -> str:
        shown, trace = self.lines.standing(self.lines.innermost(frame)), self.lines.trace(frame)
        told = [
            f"blocked at {shown}",
            f"one step of the loop {did} for {self.seconds:g} s; nothing else could run",
        ]
        stack = ["it stood here:", *(f"  {line}" for line in trace)] if trace[-1] != shown else []
        return "\n".join([*told, *stack])


@contextmanager
def real_time_cap(cap: CallbackCap) -> Generator[None]:
    """Looks at the callbacks of the main thread; elsewhere, or without POSIX timers, does nothing."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def tick(number: int, frame: FrameType | None) -> None:
        if frame is not None:
            cap.look(frame)

    previous = signal.signal(signal.SIGALRM, tick)
    outer = signal.setitimer(signal.ITIMER_REAL, cap.seconds / TICKS, cap.seconds / TICKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer)
        signal.signal(signal.SIGALRM, previous)
