"""What the adapter asks of the engine's tables, beside the engine's own queries.

State changes go through the engine's functions wherever it has one that fits. A running job is named by id, worker and
finished attempts, which together are its fence: every rescue and every retry changes one of them.
"""

from __future__ import annotations

from ...state.tables.procrastinate_jobs import PLACE

_FUNCTIONS = (
    "procrastinate_defer_jobs_v1",
    "procrastinate_fetch_job_v2",
    "procrastinate_finish_job_v1",
    "procrastinate_retry_job_v2",
    "procrastinate_cancel_job_v1",
)

LOCATE = f"SELECT {PLACE} AS place"

IS_THERE = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL"
LOCK_SCHEMA = "SELECT pg_advisory_xact_lock(hashtextextended('hosting.procrastinate', 0))"
INDEX = "CREATE INDEX IF NOT EXISTS hosting_task_id ON procrastinate_jobs ((args ->> 'task_id'))"

MISSING_FUNCTIONS = f"""SELECT name FROM unnest(ARRAY{list(_FUNCTIONS)!r}) AS name
    WHERE NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = name AND pg_function_is_visible(oid))"""

FIND = """SELECT CAST(status AS text) AS status FROM procrastinate_jobs
    WHERE args ->> 'task_id' = %(task_id)s AND queue_name = %(queue)s"""

_NOTIFY = """pg_notify('procrastinate_queue_v1#' || %(queue)s,
        json_build_object('type', 'job_inserted', 'job_id', id)::text)"""
_NEXT_OF_LOCK = f"CASE WHEN lock IS NOT NULL THEN {_NOTIFY} END"
"""Whoever waits for this job's lock may go on. The engine says nothing, so it would wait for the next poll."""

CANCEL = f"""WITH job AS (SELECT id, lock FROM procrastinate_jobs
        WHERE args ->> 'task_id' = %(task_id)s AND queue_name = %(queue)s)
    SELECT procrastinate_cancel_job_v1(id, true, false) IS NOT NULL AS was_open, {_NEXT_OF_LOCK} FROM job"""

_MINE = """WITH mine AS (SELECT id, lock, abort_requested FROM procrastinate_jobs
        WHERE id = %(job_id)s AND status = 'doing' AND worker_id = %(worker_id)s AND attempts = %(attempts)s FOR UPDATE)"""

FINISH = f"""{_MINE}
    SELECT procrastinate_finish_job_v1(id, CAST(%(status)s AS procrastinate_job_status), false), {_NEXT_OF_LOCK} FROM mine"""

RETRY = f"""{_MINE}
    SELECT CASE WHEN abort_requested THEN procrastinate_finish_job_v1(id, 'aborted', false)
        ELSE procrastinate_retry_job_v2(id, %(retry_at)s, NULL, NULL, NULL) END FROM mine"""

GIVE_BACK = f"""{_MINE}, back AS (UPDATE procrastinate_jobs job
        SET status = CASE WHEN mine.abort_requested THEN 'aborted' ELSE 'todo' END::procrastinate_job_status,
            abort_requested = false, scheduled_at = NULL, worker_id = NULL
        FROM mine WHERE job.id = mine.id RETURNING job.id)
    SELECT {_NOTIFY} FROM back"""
"""Without a function of the engine: its own ways back count the attempt."""

RESCUE = f"""WITH stalled AS (
        SELECT job.id, job.task_name, job.args ->> 'task_id' AS task_id, job.attempts + 1 AS attempts, job.abort_requested,
            CAST(COALESCE(job.args ->> 'max_attempts', '1') AS bigint) AS max_attempts
        FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
        WHERE job.status = 'doing' AND job.queue_name = %(queue)s
        AND (worker.id IS NULL OR worker.last_heartbeat < now() - %(lease)s * INTERVAL '1 second')
        LIMIT 100 FOR UPDATE OF job SKIP LOCKED),
    judged AS (SELECT *, CASE WHEN abort_requested THEN 'cancelled' WHEN attempts >= max_attempts THEN 'failed'
        ELSE 'retry' END AS verdict FROM stalled)
    SELECT id, task_name, task_id, attempts, verdict,
        CASE verdict WHEN 'cancelled' THEN procrastinate_finish_job_v1(id, 'aborted', false)
            WHEN 'failed' THEN procrastinate_finish_job_v1(id, 'failed', false)
            ELSE procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) END,
        {_NOTIFY}
    FROM judged"""
"""Jobs whose worker is silent or gone; the engine has none of it by itself, and its retry does not know the budget."""

PRUNE = """DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT ended.id FROM (SELECT id FROM procrastinate_jobs WHERE queue_name = %(queue)s
            AND status IN ('succeeded', 'failed', 'cancelled', 'aborted') ORDER BY id LIMIT %(limit)s) AS ended
        WHERE NOT EXISTS (SELECT 1 FROM procrastinate_events event WHERE event.job_id = ended.id
            AND event.type <> 'scheduled' AND event.at > now() - %(keep)s * INTERVAL '1 second'))
    RETURNING id"""
