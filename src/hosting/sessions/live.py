"""A session in memory, and what a commit writes of it (contract 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_framework import AgentSession, WorkflowCheckpoint

from ..state.base import Statement
from .history import HistoryNode
from .names import SessionName


@dataclass(slots=True, eq=False)
class LiveSession:
    """A session in memory, as its last committed turn left it.

    Args:
        name: What it is called.
        session: What the target gets.
        head: Last message of its history, decoded.
        fence: The stored fence that the next save must name; 0 before the first save.
        state_text: The state as stored, JSON.
        parent_id: Id of the session it was forked from.
        checkpoint: Where a workflow stopped, or None.
        service_text: The provider's session id as stored, JSON.
        kept: Id of the checkpoint that the store names under this session's own id.
        expires_ms: When it is forgotten; None keeps it.
        cold: Whether it was loaded for this turn, so that an earlier turn may have left something behind.
    """

    name: SessionName
    session: AgentSession
    head: HistoryNode | None = None
    fence: int = 0
    state_text: str = "{}"
    parent_id: str | None = None
    checkpoint: WorkflowCheckpoint | None = None
    service_text: str | None = None
    kept: str | None = None
    expires_ms: int | None = None
    cold: bool = False


@dataclass(frozen=True, slots=True)
class SessionSave:
    """What a commit writes of a session, and what the session is afterwards.

    Args:
        expires_ms: When the session is forgotten; None keeps it.
        elsewhere: The checkpoint that has to be in its place outside the store before the commit names it.
    """

    statements: Sequence[Statement]
    head: HistoryNode | None
    state_text: str
    service_text: str | None
    checkpoint: WorkflowCheckpoint | None
    expires_ms: int | None = None
    elsewhere: WorkflowCheckpoint | None = None
