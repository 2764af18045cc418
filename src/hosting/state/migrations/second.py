"""Version 2: several processes on one store, background runs with their event logs, durable tasks."""

from __future__ import annotations

_INSTANCES = (
    """CREATE TABLE instances (
        id TEXT PRIMARY KEY,
        until_ms BIGINT NOT NULL,
        started_ms BIGINT NOT NULL
    )""",
    "ALTER TABLE events DROP COLUMN lease_until_ms",
    "ALTER TABLE events ADD COLUMN owner TEXT",
    "ALTER TABLE events ADD COLUMN seen TEXT",
    "ALTER TABLE events ADD COLUMN kind TEXT NOT NULL DEFAULT 'event'",
    "ALTER TABLE outbox DROP COLUMN lease_until_ms",
    "ALTER TABLE outbox ADD COLUMN owner TEXT",
    "ALTER TABLE turns ADD COLUMN owner TEXT",
    """CREATE TABLE session_locks (
        isolation_key TEXT NOT NULL,
        key TEXT NOT NULL,
        holder TEXT NOT NULL,
        owner TEXT NOT NULL,
        PRIMARY KEY (isolation_key, key)
    )""",
    """CREATE TABLE session_waits (
        seq {serial},
        isolation_key TEXT NOT NULL,
        key TEXT NOT NULL,
        holder TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        ahead BIGINT NOT NULL
    )""",
    "CREATE INDEX session_waits_name ON session_waits (isolation_key, key)",
    """CREATE TABLE cancels (
        asked_for TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        until_ms BIGINT NOT NULL
    )""",
)

_RUNS = (
    """CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        token_hash TEXT NOT NULL UNIQUE,
        channel TEXT NOT NULL,
        caller TEXT NOT NULL,
        response_id TEXT NOT NULL,
        isolation_key TEXT,
        status TEXT NOT NULL,
        request TEXT NOT NULL,
        result TEXT,
        error TEXT,
        fence BIGINT NOT NULL,
        seen BIGINT NOT NULL,
        created_ms BIGINT NOT NULL,
        completed_ms BIGINT,
        expires_ms BIGINT
    )""",
    "CREATE INDEX runs_response ON runs (response_id)",
    "CREATE INDEX runs_expires ON runs (expires_ms) WHERE expires_ms IS NOT NULL",
    """CREATE TABLE run_events (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        seq BIGINT NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (run_id, seq)
    )""",
)

_TASKS = (
    """CREATE TABLE tasks (
        seq {serial},
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        payload TEXT NOT NULL,
        trace TEXT,
        order_key TEXT,
        policy TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts BIGINT NOT NULL,
        max_attempts BIGINT NOT NULL,
        owner TEXT,
        fence BIGINT NOT NULL,
        due_ms BIGINT NOT NULL,
        cancel_requested BIGINT NOT NULL,
        last_error TEXT,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        expires_ms BIGINT
    )""",
    "CREATE INDEX tasks_open ON tasks (due_ms) WHERE state IN ('scheduled', 'running')",
    "CREATE INDEX tasks_order ON tasks (order_key, seq) WHERE state IN ('scheduled', 'running')",
    "CREATE UNIQUE INDEX tasks_one_per_key ON tasks (order_key) WHERE state = 'running'",
    "CREATE INDEX tasks_held ON tasks (owner) WHERE state = 'running'",
    "CREATE INDEX tasks_expires ON tasks (expires_ms) WHERE expires_ms IS NOT NULL",
)

SECOND: tuple[str, ...] = (*_INSTANCES, *_RUNS, *_TASKS)
