"""Brings a session back from the store, or makes one of its parent (contract 6.2, 6.6)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from agent_framework import AgentSession

from ..errors import ForkUnsupported, UnknownReference
from ..ids import IdSource
from ..state.base import HostStateStore
from ..state.tables import history, sessions, snapshots, turns
from ..state.tables.turns import StoredTurn
from ..targets.base import CLIENT_STATE
from .checkpoints import SessionCheckpoints
from .history import HistoryNode, chain_of
from .live import LiveSession
from .names import SessionName
from .saving import encoded_service


class SessionOpener:
    """Makes live sessions of stored ones.

    Args:
        store: Where sessions are kept.
        checkpoints: Where their checkpoints are.
        ids: Makes session ids.
        forkable: Whether the target's history forks with the session (contract 6.6).
        window: Messages of a history that are loaded; None for all.
    """

    def __init__(
        self,
        store: HostStateStore,
        checkpoints: SessionCheckpoints,
        *,
        ids: IdSource,
        forkable: bool,
        window: int | None = None,
    ) -> None:
        self._window = window
        self._store = store
        self._checkpoints = checkpoints
        self._ids = ids
        self._forkable = forkable

    def empty(self, name: SessionName) -> LiveSession:
        """A session of that name with nothing in it."""
        return LiveSession(name, AgentSession(session_id=self._ids.new("sess")))

    async def load(self, name: SessionName) -> LiveSession | None:
        """The stored session of that name."""
        rows = await self._store.execute(sessions.load_session(name.isolation_key, name.key))
        stored = sessions.read_session(rows[0])
        if stored is None:
            return None
        state_text = stored.state or "{}"
        session = _restored(stored.session_id, state_text, stored.service_session_id)
        head = await self._chain(stored.head)
        checkpoint = await self._checkpoints.load(stored.session_id)
        return LiveSession(
            name,
            session,
            head,
            stored.fence,
            state_text,
            stored.parent_id,
            checkpoint,
            stored.service_session_id,
            checkpoint.checkpoint_id if checkpoint else None,
            stored.expires_ms,
            cold=True,
        )

    async def fence(self, name: SessionName) -> int:
        """The fence of the stored session of that name; 0 where there is none."""
        rows = await self._store.execute(sessions.load_fence(name.isolation_key, name.key))
        return rows[0][0][0] if rows[0] else 0

    def fork(self, name: SessionName, parent: LiveSession) -> LiveSession:
        """A new session that starts as `parent` is; it begins with a copy of its checkpoint (contract 8.4).

        Raises:
            ForkUnsupported: The target keeps its history where it cannot be forked.
        """
        service = encoded_service(parent.session.service_session_id)
        forked = self._forked(name, parent.session.session_id, parent.head, parent.state_text, service)
        forked.checkpoint = parent.checkpoint
        return forked

    async def turn_of(self, name: SessionName, response_id: str) -> tuple[StoredTurn, str | None]:
        """A turn of the owner that is to be continued by its response id, and the key of what came before it.

        Raises:
            UnknownReference: There is no such turn, or it is someone else's.
        """
        turn = turns.read_turn((await self._store.execute(turns.load_turn_by_response(response_id)))[0])
        record: dict[str, Any] = msgspec.json.decode(turn.record) if turn else {}
        if turn is None or record.get("owner") != name.isolation_key:
            raise UnknownReference("There is no such response or session.")
        return turn, record.get("parent_key")

    async def fork_of_turn(self, name: SessionName, turn_id: str, session_id: str) -> LiveSession:
        """A new session that starts as another was when one of its turns ended.

        Raises:
            UnknownReference: Nothing was kept of that turn.
            ForkUnsupported: A workflow is served, or the history cannot be forked.
        """
        if self._checkpoints.are_kept:
            raise ForkUnsupported(
                "Of a workflow's session only the last state is kept; continue the session itself."
            )
        rows = await self._store.execute(snapshots.load_snapshot(session_id, turn_id))
        snapshot = snapshots.read_snapshot(rows[0])
        if snapshot is None:
            raise UnknownReference("There is no such response or session.")
        head = await self._chain(snapshot.head)
        return self._forked(name, session_id, head, snapshot.state or "{}", snapshot.service_session_id)

    async def _chain(self, head: str | None) -> HistoryNode | None:
        if head is None:
            return None
        rows = await self._store.execute(history.load_history(head, last=self._window))
        return chain_of(history.read_history(rows[0]))

    def _forked(
        self,
        name: SessionName,
        parent_id: str,
        head: HistoryNode | None,
        state_text: str,
        service: str | None,
    ) -> LiveSession:
        if not self._forkable or not _service_forks(service):
            raise ForkUnsupported("The target keeps this conversation where it cannot be continued twice.")
        session = _restored(self._ids.new("sess"), state_text, service)
        # The state is stored under the new id with its first save, whether or not the turn changed it.
        return LiveSession(name, session, head, 0, "{}", parent_id)


def _restored(session_id: str, state_text: str, service: str | None) -> AgentSession:
    state = json.loads(state_text)
    theirs = {CLIENT_STATE: state.pop(CLIENT_STATE)} if CLIENT_STATE in state else {}
    session = AgentSession.from_dict(
        {
            "session_id": session_id,
            "service_session_id": json.loads(service) if service else None,
            "state": state,
        }
    )
    session.state.update(
        theirs
    )  # core would read a client's {"type": "message", ...} as a message of its own
    return session


def _service_forks(service: str | None) -> bool:
    """Provider response ids can be continued twice, provider conversation ids cannot (contract 6.6)."""
    return service is None or service.startswith('"resp_')
