"""What a turn's commit writes of its session (contract 4.4, 6.6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent_framework import Message, WorkflowCheckpoint

from ..state.base import Statement
from ..state.tables import history, sessions, snapshots
from .checkpoints import SessionCheckpoints
from .history import HistoryNode, encode_message
from .live import LiveSession, SessionSave


def session_save(
    live: LiveSession,
    *,
    turn_id: str,
    added: Sequence[Message],
    snapshot: bool,
    checkpoint: WorkflowCheckpoint | None,
    checkpoints: SessionCheckpoints,
    now_ms: int,
    expires_ms: int | None,
    snapshot_expires_ms: int,
) -> SessionSave:
    """The statements of one save, in order.

    Args:
        live: The session after the run.
        turn_id: The turn.
        added: Messages that the turn added to the host's history.
        snapshot: Also keep the session as it is now, so that this turn can be continued later (contract 6.6).
        checkpoint: Where the workflow stopped.
        checkpoints: Say how a checkpoint is kept.
        now_ms: For the rows.
        expires_ms: When the session may be forgotten; None keeps it.
        snapshot_expires_ms: When its snapshot may be.

    Raises:
        TypeError: The session's state holds something that is no JSON.
    """
    core = live.session
    state = core.to_dict()["state"]
    state_text = json.dumps(state, allow_nan=False) if state else "{}"
    texts = [encode_message(message) for message in added]
    rows, head_id = history.append_messages(
        parent_id=live.head.row_id if live.head else None, turn_id=turn_id, messages=texts, now_ms=now_ms
    )
    service = encoded_service(core.service_session_id)
    statements: list[Statement] = [*rows, _row(live, head_id, service, now_ms, expires_ms)]
    if state_text != live.state_text:
        statements.append(sessions.put_session_state(core.session_id, state_text))
    if snapshot:
        statements.append(_snapshot(live, turn_id, head_id, state_text, service, now_ms, snapshot_expires_ms))
    kept = checkpoints.own(core.session_id, checkpoint) if checkpoint is not None else None
    changed = kept is not None and kept.checkpoint_id != live.kept
    if kept is not None and changed:
        statements += checkpoints.rows(core.session_id, kept, now_ms)
    elsewhere = kept if changed and checkpoints.are_elsewhere else None
    head = _extended(live.head, turn_id, added)
    return SessionSave(statements, head, state_text, service, kept, expires_ms, elsewhere)


def snapshot_of_before(live: LiveSession, *, turn_id: str, now_ms: int, expires_ms: int) -> Statement:
    """Keeps the session as it was before the turn."""
    head = live.head.row_id if live.head else None
    return _snapshot(live, turn_id, head, live.state_text, live.service_text, now_ms, expires_ms)


def encoded_service(service_session_id: Any) -> str | None:
    """The provider's session id as it is stored."""
    return None if service_session_id is None else json.dumps(service_session_id)


def _snapshot(
    live: LiveSession,
    turn_id: str,
    head: str | None,
    state: str,
    service: str | None,
    now_ms: int,
    expires_ms: int,
) -> Statement:
    return snapshots.add_snapshot(
        session_id=live.session.session_id,
        turn_id=turn_id,
        head=head,
        state=state,
        service_session_id=service,
        now_ms=now_ms,
        expires_ms=expires_ms,
    )


def _row(
    live: LiveSession, head: str | None, service: str | None, now_ms: int, expires_ms: int | None
) -> Statement:
    core = live.session
    if live.fence:
        return sessions.save_session(
            session_id=core.session_id,
            fence=live.fence,
            head=head,
            service_session_id=service,
            now_ms=now_ms,
            expires_ms=expires_ms,
        )
    return sessions.create_session(
        isolation_key=live.name.isolation_key,
        key=live.name.key,
        session_id=core.session_id,
        parent_id=live.parent_id,
        head=head,
        service_session_id=service,
        now_ms=now_ms,
        expires_ms=expires_ms,
    )


def _extended(head: HistoryNode | None, turn_id: str, added: Sequence[Message]) -> HistoryNode | None:
    for index, message in enumerate(added):
        head = HistoryNode(history.entry_id(turn_id, index), message, head)
    return head
