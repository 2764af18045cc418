"""How much of each thing is needed, and what gives out first: arithmetic, no measuring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .figures import Deployment, Figures, Use

FULL = 0.7
"""The share of a processor, a disk or a lock from which waiting grows quickly; what is planned stays below."""

_PAGE = 8192
_LARGEST_TABLE = 0.6
"""Share of what stays that is in the largest table, the messages."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that is needed.

    Args:
        name: What.
        needed: How much.
        there: How much there is.
        unit: Of both.
        exact: Whether all of it may be used: nobody waits for it.
    """

    name: str
    needed: float
    there: float
    unit: str
    exact: bool = False

    @property
    def share(self) -> float:
        """How much of what may be used is used; above 1 it has given out."""
        return self.needed / (self.there if self.exact else self.there * FULL)


def demands(figures: Figures, use: Use, deployment: Deployment) -> Sequence[Demand]:
    """What is needed at the busiest time, fullest part of each first."""
    found = [*_hosts(figures, use, deployment), *_databases(figures, use, deployment)]
    return sorted(found, key=_pressing, reverse=True)


def _pressing(demand: Demand) -> float:
    """What no number of conversations makes more of counts once there is too little of it."""
    return 0.0 if demand.exact and demand.share <= 1 else demand.share


def gives_out_first(figures: Figures, use: Use, deployment: Deployment) -> Demand:
    """The fullest."""
    return demands(figures, use, deployment)[0]


def carries(figures: Figures, use: Use, deployment: Deployment) -> float:
    """Conversations at which the first thing gives out; 1 where something has with none at all."""
    low, high = 1.0, 1e12
    for _ in range(100):
        middle = (low * high) ** 0.5
        full = gives_out_first(figures, replace(use, conversations=middle), deployment).share >= 1
        low, high = (low, middle) if full else (middle, high)
    return low


def _hosts(figures: Figures, use: Use, deployment: Deployment) -> Sequence[Demand]:
    processes = deployment.processes
    turns = use.rate / processes
    live = min(deployment.live, use.conversations * use.active / processes)
    return (
        Demand("turns at once", turns * use.turn_seconds, deployment.slots, "turns a process"),
        Demand("processor of the hosts", turns * figures.turn_cpu_us / 1e6, 1.0, "cores a process"),
        Demand(
            "memory of the hosts",
            figures.process_bytes + live * figures.session_bytes,
            deployment.memory,
            "bytes a process",
        ),
    )


def _databases(figures: Figures, use: Use, deployment: Deployment) -> Sequence[Demand]:
    part = deployment.skew / deployment.databases
    rate, daily = use.rate * part, use.turns_per_day * part
    kept = daily * use.kept_days * figures.kept_bytes
    passing = daily * use.passing_days * figures.passing_bytes
    found = [
        Demand("disk", kept + passing, deployment.disk, "bytes a database"),
        Demand("clean-up", daily / 86_400, figures.swept, "turns/s a database"),
        Demand("log", rate * figures.log_bytes, deployment.log_rate, "bytes/s a database"),
    ]
    if figures.store == "sqlite":
        found.append(Demand("the one writer", rate * figures.writer_us / 1e6, 1.0, "of its time"))
        return found
    cost = figures.partitioned_cost if deployment.partitions > 1 else 1.0
    hot = use.conversations * use.active * part * use.own_pages * _PAGE
    return [
        *found,
        Demand(
            "processor of the database",
            rate * figures.database_cpu_us * cost / 1e6,
            deployment.database_cores,
            "cores a database",
        ),
        Demand("memory of the database", hot, deployment.database_memory, "bytes a database"),
        Demand(
            "connections",
            deployment.per_process * deployment.processes / deployment.databases,
            deployment.connections,
            "a database",
            exact=True,
        ),
        Demand(
            "vacuum of a table",
            kept * _LARGEST_TABLE / deployment.partitions,
            deployment.table,
            "bytes of the largest",
        ),
    ]
