"""Jobs of the procrastinate engine, deferred inside a unit of the PostgreSQL store (contract 11.1, decision S2).

The table and the function are procrastinate's own and exist only where its schema was applied; any other store fails
the unit. Everything else that happens to a job is the engine's business.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..base import Rows, Statement

PLACE = (
    "current_database() || '.' || COALESCE(CAST(CAST(to_regclass('procrastinate_jobs') AS oid) AS text), '')"
)
"""An expression: the table of jobs that a connection sees, ending in a dot where it sees none."""

SQL: Mapping[str, str] = {
    "procrastinate.defer": """SELECT procrastinate_defer_jobs_v1(ARRAY[CAST(ROW(
            CAST(:queue AS varchar), CAST(:name AS varchar), 0, CAST(:lock AS text), CAST(NULL AS text),
            CAST(:args AS jsonb),
            CASE WHEN CAST(:delay_ms AS bigint) > 0
                THEN now() + CAST(:delay_ms AS bigint) * INTERVAL '1 millisecond' END
        ) AS procrastinate_job_to_defer_v1)])""",
    "procrastinate.locate": f"SELECT {PLACE} AS place",
}


def defer_job(*, queue: str, name: str, lock: str | None, args: str, delay_ms: int) -> Statement:
    """Adds a job to procrastinate's queue, due after `delay_ms` by the server's clock.

    Args:
        queue: Whose workers may run it.
        name: Name of the engine's task.
        lock: What it keeps its order with, or None.
        args: JSON text of an object.
        delay_ms: How long it waits.
    """
    params = {"queue": queue, "name": name, "lock": lock, "args": args, "delay_ms": delay_ms}
    return Statement("procrastinate.defer", params)


def locate_jobs() -> Statement:
    """Which table of jobs the store's connections see; read the rows with `read_place`."""
    return Statement("procrastinate.locate", {})


def read_place(rows: Rows) -> str:
    """The one text of `locate_jobs`."""
    return rows[0][0]
