"""The deployments that are looked at, from the least to the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .figures import Deployment, StoreName
from .simulation import fullest_part

SIZES: Sequence[float] = (1e3, 1e5, 1e7)
"""Numbers of conversations that the operators' guide speaks of."""

DATABASES = 8
_PROCESSES = 6
_SEED = 11
_ENOUGH = 50_000
"""Conversations from which a hash spreads no more evenly: what is left is how unequal people are."""

ONE_PROCESS = Deployment(name="one process, SQLite", disk=500e9)
REPLICAS = Deployment(name="16 processes, one PostgreSQL", processes=16)
PARTITIONED = replace(REPLICAS, name="36 processes, tables in 16 partitions", processes=36, partitions=16)


def several() -> Deployment:
    """A few processes for each of several databases, people spread over them by a hash of who they are."""
    processes = _PROCESSES * DATABASES
    return replace(
        PARTITIONED,
        name=f"{processes} processes, {DATABASES} databases, partitions",
        processes=processes,
        databases=DATABASES,
        skew=fullest_part(DATABASES, conversations=_ENOUGH, seed=_SEED),
    )


def deployments() -> Sequence[tuple[StoreName, Deployment]]:
    """Each with its store."""
    return (
        ("sqlite", ONE_PROCESS),
        ("postgres", REPLICAS),
        ("postgres", PARTITIONED),
        ("postgres", several()),
    )
