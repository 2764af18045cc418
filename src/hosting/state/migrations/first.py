"""Version 1: sessions and their history, names, platform events, turns, outbox, channel records, checkpoints."""

from __future__ import annotations

_SESSIONS = (
    """CREATE TABLE history (
        id TEXT PRIMARY KEY,
        parent_id TEXT REFERENCES history (id),
        turn_id TEXT NOT NULL,
        message TEXT NOT NULL,
        created_ms BIGINT NOT NULL
    )""",
    "CREATE INDEX history_parent ON history (parent_id)",
    """CREATE TABLE history_ends (
        seq {serial},
        entry_id TEXT NOT NULL
    )""",
    """CREATE TABLE sessions (
        isolation_key TEXT NOT NULL,
        key TEXT NOT NULL,
        session_id TEXT NOT NULL UNIQUE,
        parent_id TEXT,
        head TEXT REFERENCES history (id),
        service_session_id TEXT,
        fence BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        expires_ms BIGINT,
        PRIMARY KEY (isolation_key, key)
    )""",
    "CREATE INDEX sessions_head ON sessions (head) WHERE head IS NOT NULL",
    "CREATE INDEX sessions_expires ON sessions (expires_ms) WHERE expires_ms IS NOT NULL",
    """CREATE TABLE session_states (
        session_id TEXT PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
        state TEXT NOT NULL
    )""",
    """CREATE TABLE snapshots (
        session_id TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
        turn_id TEXT NOT NULL,
        head TEXT REFERENCES history (id),
        state TEXT,
        service_session_id TEXT,
        created_ms BIGINT NOT NULL,
        expires_ms BIGINT,
        PRIMARY KEY (session_id, turn_id)
    )""",
    "CREATE INDEX snapshots_head ON snapshots (head)",
    "CREATE INDEX snapshots_expires ON snapshots (expires_ms) WHERE expires_ms IS NOT NULL",
    """CREATE TABLE checkpoints (
        seq {serial},
        session_id TEXT NOT NULL,
        checkpoint_id TEXT NOT NULL,
        workflow_name TEXT NOT NULL,
        payload TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        UNIQUE (session_id, checkpoint_id)
    )""",
    "CREATE INDEX checkpoints_created ON checkpoints (created_ms)",
)

_NAMES = (
    """CREATE TABLE aliases (
        isolation_key TEXT PRIMARY KEY,
        key TEXT NOT NULL,
        updated_ms BIGINT NOT NULL
    )""",
    """CREATE TABLE identity_keys (
        channel TEXT NOT NULL,
        native_id TEXT NOT NULL,
        isolation_key TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        PRIMARY KEY (channel, native_id)
    )""",
)

_WORK = (
    """CREATE TABLE events (
        seq {serial},
        channel TEXT NOT NULL,
        delivery_id TEXT NOT NULL,
        lane TEXT,
        payload TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts BIGINT NOT NULL,
        fence BIGINT NOT NULL,
        lease_until_ms BIGINT NOT NULL,
        claimed_ms BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL,
        UNIQUE (channel, delivery_id)
    )""",
    "CREATE INDEX events_open ON events (seq) WHERE state IN ('queued', 'running')",
    "CREATE INDEX events_lane ON events (lane, seq) WHERE state IN ('queued', 'running')",
    "CREATE INDEX events_expires ON events (expires_ms)",
    """CREATE TABLE turns (
        turn_id TEXT PRIMARY KEY,
        channel TEXT NOT NULL,
        caller TEXT NOT NULL,
        scope TEXT NOT NULL,
        delivery_id TEXT,
        session_id TEXT,
        response_id TEXT,
        status TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        seen BIGINT NOT NULL,
        result TEXT,
        record TEXT NOT NULL,
        error_code TEXT,
        created_ms BIGINT NOT NULL,
        finished_ms BIGINT,
        expires_ms BIGINT
    )""",
    """CREATE UNIQUE INDEX turns_delivery ON turns (channel, caller, scope, delivery_id)
        WHERE delivery_id IS NOT NULL""",
    "CREATE INDEX turns_response ON turns (response_id) WHERE response_id IS NOT NULL",
    "CREATE INDEX turns_open ON turns (created_ms) WHERE finished_ms IS NULL",
    "CREATE INDEX turns_expires ON turns (expires_ms) WHERE expires_ms IS NOT NULL",
    """CREATE TABLE outbox (
        seq {serial},
        id TEXT NOT NULL UNIQUE,
        turn_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        destination TEXT NOT NULL,
        lane TEXT NOT NULL,
        payload TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts BIGINT NOT NULL,
        native_ids TEXT NOT NULL,
        due_ms BIGINT NOT NULL,
        lease_until_ms BIGINT NOT NULL,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL
    )""",
    "CREATE INDEX outbox_open ON outbox (seq) WHERE state IN ('pending', 'sending')",
    "CREATE INDEX outbox_lane ON outbox (lane, seq) WHERE state IN ('pending', 'sending')",
    "CREATE INDEX outbox_turn ON outbox (turn_id)",
    "CREATE INDEX outbox_expires ON outbox (expires_ms)",
    """CREATE TABLE records (
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        updated_ms BIGINT NOT NULL,
        expires_ms BIGINT,
        PRIMARY KEY (namespace, key)
    )""",
    "CREATE INDEX records_expires ON records (expires_ms) WHERE expires_ms IS NOT NULL",
)

FIRST: tuple[str, ...] = (*_SESSIONS, *_NAMES, *_WORK)
