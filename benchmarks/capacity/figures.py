"""What the model stands on: figures that were measured, and assumptions that everybody sets for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

StoreName = Literal["sqlite", "postgres"]

DAY = 86_400.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn of an agent costs through the Responses channel, as measured.

    Args:
        store: Where the state is.
        turn_cpu_us: Processor time in the host's process, store and agent included.
        database_cpu_us: Processor time in the database server; 0 for a file.
        writer_us: Time of the one writer of a file; 0 where turns are written side by side.
        log_bytes: What goes to the database's log.
        kept_bytes: What stays in the database for good.
        passing_bytes: What stays for as long as answers can be asked for, and goes then.
        process_bytes: Memory of a process without sessions.
        session_bytes: Memory of one live session.
        swept: Turns whose passing rows one sweep removes in a second.
        partitioned_cost: What the same turn costs the server where the tables that stay are partitioned, as a multiple.
    """

    store: StoreName
    turn_cpu_us: float
    database_cpu_us: float
    writer_us: float
    log_bytes: float
    kept_bytes: float
    passing_bytes: float
    process_bytes: float
    session_bytes: float
    swept: float
    partitioned_cost: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How people use it; assumed.

    Args:
        conversations: All that are known.
        active: Share of them that have a turn on a day.
        turns: Turns of an active one on a day.
        peak: Turns per second at the busiest time, as a multiple of the mean.
        turn_seconds: How long the model takes for an answer.
        kept_days: Days that conversations are kept.
        passing_days: Days that answers can be asked for.
        own_pages: Pages of the database that a day of one conversation touches and nobody else does: its rows in five
            tables, and their places in the indexes.
    """

    conversations: float
    active: float = 0.1
    turns: float = 10.0
    peak: float = 4.0
    turn_seconds: float = 5.0
    kept_days: float = 365.0
    passing_days: float = 30.0
    own_pages: float = 10.0

    @property
    def turns_per_day(self) -> float:
        return self.conversations * self.active * self.turns

    @property
    def rate(self) -> float:
        """Turns per second at the busiest time."""
        return self.turns_per_day / DAY * self.peak


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Machines, and how the state is spread over them; assumed but for the host's own limits.

    Args:
        name: For tables.
        processes: Host processes in all, one core each.
        slots: Turns that run at once in a process (`limits.max_concurrent_runs`).
        live: Sessions that a process keeps live (`limits.session_cache`).
        memory: Bytes of memory for each process.
        databases: Database servers; each has the state of its own share of the conversations.
        database_cores: Cores of each.
        database_memory: Memory of each, for pages.
        connections: Connections that each takes.
        per_process: Connections of one process.
        disk: Bytes of each one's disk.
        log_rate: Bytes that each writes to its log per second.
        partitions: Partitions of each table that stays.
        table: Bytes of a table, or partition, that one vacuum gets through in a night.
        skew: Load of the fullest database as a multiple of the mean.
    """

    name: str
    processes: int = 1
    slots: int = 100
    live: int = 10_000
    memory: float = 2e9
    databases: int = 1
    database_cores: int = 16
    database_memory: float = 64e9
    connections: int = 500
    per_process: int = 12
    disk: float = 4e12
    log_rate: float = 200e6
    partitions: int = 1
    table: float = 500e9
    skew: float = 1.0
