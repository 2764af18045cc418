"""Wake-ups between those who write to a store and those who wait for what is written (decision S4).

A signal says that something about a topic changed, and nothing else: whoever is woken reads again. Signals may be lost,
so a waiter also looks by itself from time to time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from .base import Statement

SIGNAL = "store.signal"

_LONGEST_TOPIC = 120
"""Bytes: a topic travels in a notification, which must stay small."""

_Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


@runtime_checkable
class StoreSignals(Protocol):
    """A store that wakes those who wait for a topic. Optional: without it, waiters look from time to time."""

    @property
    def signals_between_processes(self) -> bool:
        """Whether a signal also wakes waiters in other processes on the same store."""
        ...

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        """Sets `event` whenever a unit with `signal(topic)` was committed; call it inside a running loop.

        One event may wait for several topics. It may also be set for no reason.

        Returns:
            Ends the subscription; may be called again.
        """
        ...


def signal(topic: str) -> Statement:
    """Wakes the subscribers of `topic` once the unit it stands in is committed. Put it behind what they will read.

    Raises:
        ValueError: The topic is longer than 120 bytes of UTF-8, or empty.
    """
    if not 0 < len(topic.encode()) <= _LONGEST_TOPIC:
        raise ValueError(
            f"found a topic of {len(topic.encode())} bytes, expected 1 to {_LONGEST_TOPIC}: name an id, send no content"
        )
    return Statement(SIGNAL, {"topic": topic})


class Wakers:
    """Who waits for what in this process. Any thread may wake them."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[int, _Waiter]] = {}
        self._turnstile = threading.Lock()
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def subscribe(self, topic: str, event: asyncio.Event) -> Callable[[], None]:
        """Adds a waiter of the running loop; returns what removes it."""
        with self._turnstile:
            self._count += 1
            number = self._count
            self._waiting.setdefault(topic, {})[number] = (asyncio.get_running_loop(), event)

        def end() -> None:
            with self._turnstile:
                waiters = self._waiting.get(topic, {})
                waiters.pop(number, None)
                if not waiters:
                    self._waiting.pop(topic, None)

        return end

    def wake(self, topic: str) -> None:
        """Wakes those who wait for `topic`."""
        with self._turnstile:
            waiters = list(self._waiting.get(topic, {}).values())
        _set(waiters)

    def wake_all(self) -> None:
        """Wakes everyone, where signals may have been lost."""
        with self._turnstile:
            waiters = [waiter for waiters in self._waiting.values() for waiter in waiters.values()]
        _set(waiters)

    def wake_for(self, unit: Iterable[Statement]) -> None:
        """Wakes those whom the signals of a unit are for."""
        if self._waiting:
            for statement in unit:
                if statement.name == SIGNAL:
                    self.wake(statement.params["topic"])


def _set(waiters: Iterable[_Waiter]) -> None:
    here = _running_loop()
    for loop, event in waiters:
        if loop is here:
            event.set()
        elif not loop.is_closed():
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # closed just now: nobody waits there any more
                continue


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
