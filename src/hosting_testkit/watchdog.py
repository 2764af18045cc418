"""Finds what blocks an event loop: a thread that asks the loop for a sign of life and looks where it stands."""

from __future__ import annotations

import asyncio
import linecache
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_PARTS = 5
_IDLE = 0.001
"""Seconds of processor time in one part of the cap below which a thread waits and does not compute."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """One time that the loop stood still.

    Args:
        file: Name of the file, with its folder.
        line: Number of the line.
        function: The function it is in.
        source: The line itself.
    """

    file: str
    line: int
    function: str
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}: {self.source}"


@contextmanager
def watched_loop(cap: float = 0.2) -> Generator[list[Blocked]]:
    """Gives a list that grows by each time that the running loop is blocked for `cap` real seconds or longer.

    Where the system tells what a thread does, a machine that is merely busy with something else does not count. Enter
    it inside a running loop, in that loop's thread.
    """
    stop = threading.Event()
    watch = _Watch(asyncio.get_running_loop(), cap, stop)
    thread = threading.Thread(target=watch.run, name="loop watchdog", daemon=True)
    thread.start()
    try:
        yield watch.found
    finally:
        stop.set()
        thread.join()


class _Watch:
    """Asks the loop of the calling thread for signs of life; `run` is for a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, cap: float, stop: threading.Event) -> None:
        self.found: list[Blocked] = []
        self._loop = loop
        self._cap = cap
        self._stop = stop
        self._ident = threading.get_ident()
        self._status = Path(f"/proc/self/task/{threading.get_native_id()}/stat")
        self._processor = _processor_time(self._ident)

    def run(self) -> None:
        while not self._stop.is_set():
            alive = threading.Event()
            self._loop.call_soon_threadsafe(alive.set)
            self._wait(alive)

    def _wait(self, alive: threading.Event) -> None:
        """Waits for the sign; notes the place, once, if it does not come in time."""
        step = self._cap / _PARTS
        idle, noted = 0, False
        begun = before = self._processor()
        while not alive.wait(step) and not self._stop.is_set():
            now = self._processor()
            idle = idle + 1 if now - before < _IDLE and self._sleeps() else 0
            before = now
            if not noted and (idle >= _PARTS or now - begun >= self._cap):
                noted = True
                self.found.append(_place(_frame_of(self._ident)))
        self._stop.wait(step)

    def _sleeps(self) -> bool:
        """Whether the thread waits for something; one that waits for a processor does not."""
        try:
            return self._status.read_text().rpartition(")")[2].split()[0] in "SD"
        except OSError:
            return True


def _processor_time(ident: int) -> Callable[[], float]:
    """Tells the processor time of a thread in seconds; always 0 where the system cannot."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return lambda: 0.0
    clock = time.pthread_getcpuclockid(ident)
    return lambda: time.clock_gettime(clock)


def _frame_of(ident: int) -> FrameType:
    """Where a thread stands now."""
    return sys._current_frames()[ident]  # pyright: ignore[reportPrivateUsage] - there is no other way


def _place(innermost: FrameType) -> Blocked:
    """The innermost frame that is neither Python's nor an installed package's; the innermost one without such."""
    library = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code.co_filename.startswith((*library, "<")):
        frame = frame.f_back
    frame = frame or innermost
    path = Path(frame.f_code.co_filename)
    source = linecache.getline(str(path), frame.f_lineno).strip()
    return Blocked("/".join(path.parts[-2:]), frame.f_lineno, frame.f_code.co_name, source)
