"""A store as the first release left it: its schema, with rows in every table."""

from __future__ import annotations

from collections.abc import Iterable

from hosting.state.migrations.first import FIRST

VERSION = (
    "CREATE TABLE schema_version (version BIGINT NOT NULL)",
    "INSERT INTO schema_version (version) VALUES (1)",
)

ROWS = (
    "INSERT INTO history (id, parent_id, turn_id, message, created_ms) VALUES ('t:0', NULL, 't', '{\"ü\": 1}', 1)",
    "INSERT INTO history (id, parent_id, turn_id, message, created_ms) VALUES ('t:1', 't:0', 't', '{}', 2)",
    "INSERT INTO history_ends (entry_id) VALUES ('t:0')",
    """INSERT INTO sessions (isolation_key, key, session_id, parent_id, head, service_session_id, fence, updated_ms, expires_ms)
        VALUES ('me', 'k', 's', NULL, 't:1', '"x"', 9007199254740993, 3, NULL)""",
    "INSERT INTO session_states (session_id, state) VALUES ('s', '{\"a\": 1}')",
    """INSERT INTO snapshots (session_id, turn_id, head, state, service_session_id, created_ms, expires_ms)
        VALUES ('s', 't', 't:0', '{}', NULL, 4, 99)""",
    """INSERT INTO checkpoints (session_id, checkpoint_id, workflow_name, payload, created_ms)
        VALUES ('s', 'c', 'w', 'null', 5)""",
    "INSERT INTO aliases (isolation_key, key, updated_ms) VALUES ('me', 'k', 6)",
    "INSERT INTO identity_keys (channel, native_id, isolation_key, created_ms) VALUES ('c', '7', 'me', 7)",
    """INSERT INTO events (channel, delivery_id, lane, payload, state, attempts, fence, lease_until_ms, claimed_ms, expires_ms)
        VALUES ('c', 'queued', 'l', '{}', 'queued', 0, 0, 0, 8, 99), ('c', 'running', 'm', '{}', 'running', 1, 1, 50, 8, 99),
        ('c', 'done', NULL, '{}', 'done', 1, 1, 50, 8, 99)""",
    """INSERT INTO turns (turn_id, channel, caller, scope, delivery_id, session_id, response_id, status, attempt, seen, result,
            record, error_code, created_ms, finished_ms, expires_ms)
        VALUES ('t', 'c', 'joe', '', 'd', 's', 'r', 'completed', 1, 1, '{}', '{}', NULL, 9, 10, 99),
        ('open', 'c', '', '', NULL, NULL, NULL, 'running', 1, 0, NULL, '{}', NULL, 9, NULL, NULL)""",
    """INSERT INTO outbox (id, turn_id, channel, destination, lane, payload, state, attempts, native_ids, due_ms,
            lease_until_ms, created_ms, updated_ms, expires_ms)
        VALUES ('o', 't', 'c', '{}', 'l', '{}', 'pending', 0, '[]', 11, 0, 11, 11, 99),
        ('p', 't', 'c', '{}', 'm', '{}', 'sending', 1, '["1"]', 11, 50, 11, 11, 99)""",
    "INSERT INTO records (namespace, key, value, updated_ms, expires_ms) VALUES ('ns', 'k', '1', 12, NULL)",
)

COUNTS = {
    "history": 2,
    "history_ends": 1,
    "sessions": 1,
    "session_states": 1,
    "snapshots": 1,
    "checkpoints": 1,
    "aliases": 1,
    "identity_keys": 1,
    "events": 3,
    "turns": 2,
    "outbox": 2,
    "records": 1,
}


def definitions(*, serial: str, text: str = "TEXT") -> Iterable[str]:
    """The statements that made it, for an engine's own column types."""
    for statement in (*FIRST, *VERSION):
        yield statement.replace("{serial}", serial).replace("TEXT", text)
