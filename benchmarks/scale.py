"""How much each scenario does: every loop of a benchmark is bounded by one of these numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The size of one run.

    Args:
        rounds: Times that each side is measured; the sides take turns.
        seconds: How long one round of load lasts.
        connections: Clients at once.
        sessions: Conversations that the load goes round.
        stored: Numbers of sessions in the memory store between which the cost of a turn is compared.
        seeded: The same on disk, where sessions are put past the store.
        lengths: Lengths of a conversation, in turns, at which the cost of a turn is read.
        conversations: Conversations of the greatest length that are held per side.
        calls: Turns in one round of an in-process measurement.
        operations: Units in one round of a measurement of stores.
        soak_turns: Turns of the soak.
        soak_samples: Times that memory is read during it.
        rough_turns: Turns of the soak with faults.
        longest: Seconds after which a scenario stops measuring, with what it has.
    """

    rounds: int
    seconds: float
    connections: int
    sessions: int
    stored: tuple[int, ...]
    seeded: tuple[int, ...]
    lengths: tuple[int, ...]
    conversations: int
    calls: int
    operations: int
    soak_turns: int
    soak_samples: int
    rough_turns: int
    longest: float


FULL = Scale(
    rounds=5,
    seconds=3.0,
    connections=16,
    sessions=1_000,
    stored=(1_000, 100_000),
    seeded=(1_000, 1_000_000),
    lengths=(10, 100, 1_000, 2_000),
    conversations=3,
    calls=1_000,
    operations=4_000,
    soak_turns=50_000,
    soak_samples=10,
    rough_turns=200_000,
    longest=600.0,
)

QUICK = Scale(
    rounds=3,
    seconds=0.7,
    connections=16,
    sessions=200,
    stored=(100, 1_000),
    seeded=(1_000, 20_000),
    lengths=(10, 100, 300),
    conversations=2,
    calls=300,
    operations=800,
    soak_turns=2_000,
    soak_samples=10,
    rough_turns=4_000,
    longest=60.0,
)

TINY = Scale(
    rounds=1,
    seconds=0.05,
    connections=2,
    sessions=3,
    stored=(4, 8),
    seeded=(4, 8),
    lengths=(2, 4),
    conversations=1,
    calls=5,
    operations=8,
    soak_turns=20,
    soak_samples=2,
    rough_turns=40,
    longest=20.0,
)
"""Shows that a benchmark runs; its numbers mean nothing."""
