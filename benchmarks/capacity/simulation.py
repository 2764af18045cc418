"""Turns as they come, wait and go: what the model says in one line each, played out one by one.

The model knows means. The simulation has people who come when they like, a conversation in which one turn waits for
another, and queues; so it shows what the means hide, and whether a share below `FULL` is enough.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

_Then = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What turns go through.

    Args:
        conversations: In which they come.
        rate: Turns per second.
        turn_seconds: How long the model takes, on average.
        slots: Turns at once.
        cores: Of the hosts.
        turn_cpu_us: Processor time of a turn there.
        store_servers: What the store does side by side: 1 for a file.
        store_us: Time of a turn there.
    """

    conversations: int
    rate: float
    turn_seconds: float
    slots: int
    cores: int
    turn_cpu_us: float
    store_servers: int
    store_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of it.

    Args:
        turns: That ended.
        at_once: Turns with a slot, on average over the time.
        cores: Cores in use, on average.
        store: Servers of the store in use, on average.
        waited_p50: Seconds that half of the turns waited at most, for whatever.
        waited_p99: The same for all but one in a hundred.
    """

    turns: int
    at_once: float
    cores: float
    store: float
    waited_p50: float
    waited_p99: float


def play(stage: Stage, *, seconds: float, seed: int) -> Played:
    """Lets turns come for so many simulated seconds, and waits for the last of them."""
    return _Play(stage, random.Random(seed), seconds).run()


def fullest_part(parts: int, *, conversations: int, seed: int, spread: float = 1.5) -> float:
    """The load of the fullest of `parts` databases as a multiple of the mean, conversations spread by a hash.

    Args:
        parts: Databases.
        conversations: How many there are; from some on, more change nothing.
        seed: For the hash.
        spread: How unequal people are: the deviation of the logarithm of their turns.
    """
    chance = random.Random(seed)
    loads = [0.0] * parts
    for _ in range(conversations):
        loads[chance.randrange(parts)] += chance.lognormvariate(0.0, spread)
    return max(loads) * parts / sum(loads)


class _Clock:
    """Simulated time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, _Then]] = []

    def after(self, seconds: float, then: _Then) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), then))

    def run(self) -> None:
        while self._events:
            self.now, _, then = heapq.heappop(self._events)
            then()


@dataclass(slots=True)
class _Station:
    """So many servers with one line before them; their use is counted until `ends`."""

    clock: _Clock
    servers: int
    ends: float
    busy: int = 0
    used: float = 0.0
    line: deque[_Then] = field(default_factory=deque[_Then])
    since: float = 0.0

    def enter(self, then: _Then) -> None:
        """Calls `then` once a server is free for it; it leaves by itself."""
        if self.busy < self.servers:
            self._count(1)
            then()
        else:
            self.line.append(then)

    def leave(self) -> None:
        if self.line:
            self.line.popleft()()
        else:
            self._count(-1)

    def _count(self, change: int) -> None:
        now = min(self.clock.now, self.ends)
        self.used += self.busy * (now - self.since)
        self.since = now
        self.busy += change


class _Play:
    def __init__(self, stage: Stage, chance: random.Random, seconds: float) -> None:
        self._stage = stage
        self._chance = chance
        self._seconds = seconds
        self._clock = _Clock()
        self._slots = _Station(self._clock, stage.slots, seconds)
        self._cores = _Station(self._clock, stage.cores, seconds)
        self._store = _Station(self._clock, stage.store_servers, seconds)
        self._conversations: dict[int, _Station] = {}
        self._waited: list[float] = []

    def run(self) -> Played:
        self._next_comes()
        self._clock.run()
        self._waited.sort()
        lasted = self._seconds
        count = len(self._waited)
        return Played(
            turns=count,
            at_once=self._slots.used / lasted,
            cores=self._cores.used / lasted,
            store=self._store.used / lasted,
            waited_p50=self._waited[count // 2],
            waited_p99=self._waited[count * 99 // 100],
        )

    def _next_comes(self) -> None:
        pause = self._chance.expovariate(self._stage.rate)
        if self._clock.now + pause <= self._seconds:
            self._clock.after(pause, self._comes)

    def _comes(self) -> None:
        self._next_comes()
        name, came = self._chance.randrange(self._stage.conversations), self._clock.now
        stage = self._stage
        model = self._chance.lognormvariate(0.0, 0.5) / 1.1331484530668263 * stage.turn_seconds
        work = stage.turn_cpu_us / 1e6
        write = self._chance.expovariate(1e6 / stage.store_us) if stage.store_us else 0.0
        lane = self._conversations.setdefault(name, _Station(self._clock, 1, self._seconds))

        def ended() -> None:
            self._waited.append(max(0.0, self._clock.now - came - model - work - write))
            self._slots.leave()
            lane.leave()
            if not lane.busy:
                self._conversations.pop(name, None)

        def stores() -> None:
            self._serve(self._store, write, ended)

        def runs() -> None:
            self._clock.after(model, stores)

        def computes() -> None:
            self._serve(self._cores, work, runs)

        lane.enter(lambda: self._slots.enter(computes))

    def _serve(self, station: _Station, seconds: float, then: _Then) -> None:
        def served() -> None:
            station.leave()
            then()

        station.enter(lambda: self._clock.after(seconds, served))
