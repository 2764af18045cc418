"""The host and the route written by hand, served by the same software and put under the same load in turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .load import Load, Loaded, put_load
from .scale import Scale
from .servers import App, Server, Software, serving
from .stats import Row, Series


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of both sides.

    Args:
        unit: What one answer is, for example `turn`.
        bodies: Request bodies, in turn.
        expected: What every answer must hold.
        deltas: How many text deltas every answer must hold.
    """

    unit: str
    bodies: Sequence[str]
    expected: Sequence[str]
    deltas: int | None = None

    def load(self, port: int, scale: Scale) -> Load:
        return Load(
            port=port,
            bodies=[*self.bodies],
            connections=scale.connections,
            seconds=scale.seconds,
            expected=[*self.expected],
            deltas=self.deltas,
        )


def contest(
    question: Question, software: Software, app: App, scale: Scale, *, target: float | None = None
) -> list[Row]:
    """Throughput, processor time and latency of the host's `app` beside the route written by hand.

    Args:
        question: What is asked.
        software: What serves both.
        app: The host's application.
        scale: How often and how long.
        target: The ratio of the throughput that the project wants to reach.
    """
    with serving("by_hand", software) as by_hand, serving(app, software) as host:
        sides = [_Side(server, question.load(server.port, scale)) for server in (host, by_hand)]
        for side in sides:
            side.warm_up()
        ends = time.monotonic() + scale.longest
        for _ in range(scale.rounds):
            for side in sides:
                side.measure()
            if time.monotonic() > ends:
                break
    ours, theirs = sides
    case, unit = f"{software}, {app}", question.unit
    busiest = max(loaded.busy for side in sides for loaded in side.loaded)
    return [
        Row(
            case=case,
            unit=f"{unit}s/s",
            host=ours.throughput,
            other=theirs.throughput,
            beside="by hand",
            more_is_better=True,
            target=target,
            note=f"load generator up to {busiest:.0%} busy",
        ),
        Row(case=case, unit=f"CPU us/{unit}", host=ours.cpu, other=theirs.cpu, beside="by hand"),
        Row(case=case, unit="p99 ms", host=ours.slowest, other=theirs.slowest, beside="by hand"),
    ]


@dataclass(slots=True)
class _Side:
    server: Server
    load: Load
    loaded: list[Loaded] = field(default_factory=list[Loaded])
    cpu_us: list[float] = field(default_factory=list[float])

    def warm_up(self) -> None:
        put_load(self.load)

    def measure(self) -> None:
        before = self.server.cpu_seconds()
        loaded = put_load(self.load)
        self.cpu_us.append((self.server.cpu_seconds() - before) * 1e6 / loaded.answers)
        self.loaded.append(loaded)

    @property
    def throughput(self) -> Series:
        return Series([loaded.answers / loaded.seconds for loaded in self.loaded])

    @property
    def cpu(self) -> Series:
        return Series(self.cpu_us)

    @property
    def slowest(self) -> Series:
        return Series([loaded.p99 for loaded in self.loaded])
