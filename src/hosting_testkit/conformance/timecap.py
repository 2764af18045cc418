"""A bound on the real time of one item, for what virtual time cannot see: a blocked loop."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class ItemTimeout(BaseException):
    """The item took too much real time; the text says where it stood. Not an `Exception`: nobody may swallow it."""


@contextmanager
def real_time_cap(seconds: float) -> Generator[None]:
    """Raises `ItemTimeout` in the main thread after `seconds`; elsewhere, or without POSIX timers, does nothing."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def expired(number: int, frame: FrameType | None) -> None:
        where = "".join(traceback.format_stack(frame, limit=6))
        raise ItemTimeout(f"no end after {seconds:g} real seconds; the loop was blocked here:\n{where}")

    previous = signal.signal(signal.SIGALRM, expired)
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, outer)
        signal.signal(signal.SIGALRM, previous)
