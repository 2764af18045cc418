"""Memory of one process, and size of its file, over many turns: each turn begins a session, so no cache stays small."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..load import Load, put_load
from ..scale import Scale
from ..servers import Server, serving
from ..stats import Row, Series
from .json_turn import QUESTION

TITLE = "memory and file over many turns on SQLite, each with a session of its own"
TARGET = 0.95

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Sample:
    turns: int
    resident_mib: float
    stored_bytes: int
    cpu_us: float


def measure(scale: Scale) -> list[Row]:
    with serving("sqlite", "uvicorn") as server:
        samples = _soak(server, scale)
    settled = samples[min(len(samples) - 1, _warm_up(scale))]
    last = samples[-1]
    since = f"{settled.turns} turns"
    history = ", ".join(f"{sample.resident_mib:.0f}" for sample in samples)
    return [
        Row(
            case=f"{last.turns} turns",
            unit="RSS MiB",
            host=Series([last.resident_mib]),
            other=Series([settled.resident_mib]),
            beside=since,
            target=TARGET,
            note=f"MiB every {samples[0].turns} turns: {history}",
        ),
        Row(
            case=f"{last.turns} turns",
            unit="stored bytes/turn",
            host=Series([last.stored_bytes / last.turns]),
            other=Series([settled.stored_bytes / settled.turns]),
            beside=since,
            note=f"{last.stored_bytes / _MIB:.1f} MiB in all",
        ),
        Row(
            case=f"{last.turns} turns",
            unit="CPU us/turn",
            host=Series([last.cpu_us]),
            other=Series([settled.cpu_us]),
            beside=since,
            target=0.9,
        ),
    ]


def _soak(server: Server, scale: Scale) -> list[_Sample]:
    samples: list[_Sample] = []
    ends = time.monotonic() + scale.longest
    turns = 0
    for _ in range(scale.soak_samples):
        if time.monotonic() > ends:
            break
        load = Load(
            port=server.port,
            bodies=[*QUESTION.bodies],
            connections=scale.connections,
            seconds=scale.longest,
            requests=scale.soak_turns // scale.soak_samples,
            expected=[*QUESTION.expected],
        )
        before = server.cpu_seconds()
        answers = put_load(load).answers
        turns += answers
        cpu_us = (server.cpu_seconds() - before) * 1e6 / answers
        samples.append(_Sample(turns, server.resident_bytes() / _MIB, server.stored_bytes(), cpu_us))
    return samples


def _warm_up(scale: Scale) -> int:
    """Samples after which everything that the host keeps live is full: three in ten of a full run, 15 000 turns."""
    return scale.soak_samples * 3 // 10 - 1 if scale.soak_samples >= 10 else 0
