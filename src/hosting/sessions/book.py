"""Opens, forks and saves sessions (contract 6.2, 6.5, 6.6)."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from agent_framework import AgentSession, Message, WorkflowCheckpoint

from ..clock import TimeSource, epoch_ms
from ..errors import ForkUnsupported, UnknownReference
from ..ids import IdSource
from ..state.base import HostStateStore, Statement
from ..state.tables import aliases, checkpoints, history, sessions, snapshots, turns
from ..targets.checkpoints import decode_checkpoint, encode_checkpoint
from .history import HistoryNode, chain_of, encode_message
from .names import SessionName

CLIENT_STATE = "client_state"
"""Where a session's state holds what its client keeps there (contract 3.6)."""

FIRST_ALIAS = "main"
"""The key of a person's session until they reset it."""


@dataclass(slots=True, eq=False)
class LiveSession:
    """A session in memory, as its last committed turn left it.

    Args:
        name: What it is called.
        session: What the target gets.
        head: Last message of its history, decoded.
        fence: The stored fence that the next save must name; 0 before the first save.
        state_text: The state as stored, JSON.
        service_text: The provider's session id as stored, JSON.
        parent_id: Id of the session it was forked from.
        checkpoint: Where a workflow stopped, or None.
    """

    name: SessionName
    session: AgentSession
    head: HistoryNode | None = None
    fence: int = 0
    state_text: str = "{}"
    parent_id: str | None = None
    checkpoint: WorkflowCheckpoint | None = None
    service_text: str | None = None


@dataclass(frozen=True, slots=True)
class SessionSave:
    """What a commit writes of a session, and what the session is afterwards."""

    statements: Sequence[Statement]
    head: HistoryNode | None
    state_text: str
    service_text: str | None
    checkpoint: WorkflowCheckpoint | None


class SessionBook:
    """The host's sessions: loaded through the store, kept live in a bounded cache.

    A session under a turn is out of the cache, so a turn that fails simply never puts it back: core has changed it
    (core-facts 1.11).

    Args:
        store: Where sessions are kept.
        clock: For the rows.
        ids: Makes session ids.
        cache: Live sessions kept.
        forkable: Whether the target's history forks with the session (contract 6.6).
        workflow: Name of the workflow that is served, whose checkpoints go with its sessions; None for an agent.
    """

    def __init__(
        self,
        store: HostStateStore,
        *,
        clock: TimeSource,
        ids: IdSource,
        cache: int,
        forkable: bool = True,
        workflow: str | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._size = cache
        self._forkable = forkable
        self._workflow = workflow
        self._live: OrderedDict[SessionName, LiveSession] = OrderedDict()

    async def alias(self, isolation_key: str) -> str:
        """The key of the session that `isolation_key` means now (contract 6.5)."""
        rows = await self._store.execute(aliases.load_alias(isolation_key))
        return aliases.read_alias(rows[0]) or FIRST_ALIAS

    async def reset(self, isolation_key: str) -> None:
        """Moves `isolation_key` to a new session; the old one stays readable under its own key."""
        key = self._ids.new("alias")
        await self._store.execute(aliases.move_alias(isolation_key, key, now_ms=epoch_ms(self._clock)))

    async def open(
        self, name: SessionName, *, parent_key: str | None = None, is_new: bool = False
    ) -> LiveSession:
        """The session of that name; one that does not exist yet starts empty, or as its parent was.

        Args:
            name: The session.
            parent_key: Its parent, if it is new.
            is_new: Its name was made for it just now, so that nobody need look.

        Raises:
            UnknownReference: There is no such parent, or it is someone else's.
            ForkUnsupported: The target keeps its history where it cannot be forked.
        """
        live = None if is_new else self._live.pop(name, None) or await self._load(name)
        if live is not None:
            return live
        if parent_key is None:
            return LiveSession(name, AgentSession(session_id=self._ids.new("sess")))
        return await self._fork(name, parent_key)

    async def forget(self, name: SessionName) -> bool:
        """Deletes the session; True if there was one."""
        live = self._live.pop(name, None) or await self._load(name)
        if live is None or not live.fence:
            return False
        await self._store.execute(*sessions.delete_session(live.session.session_id))
        return True

    def save(
        self,
        live: LiveSession,
        *,
        turn_id: str,
        added: Sequence[Message],
        snapshot: bool,
        checkpoint: WorkflowCheckpoint | None = None,
    ) -> SessionSave:
        """What the commit of a turn writes of its session (contract 4.4).

        Args:
            live: The session after the run.
            turn_id: The turn.
            added: Messages that the turn added to the host's history.
            snapshot: Also keep the session as it is now, so that this turn can be continued later (contract 6.6).
            checkpoint: Where the workflow stopped.

        Raises:
            TypeError: The session's state holds something that is no JSON.
        """
        now = epoch_ms(self._clock)
        core = live.session
        state = core.to_dict()["state"]
        state_text = json.dumps(state, allow_nan=False) if state else "{}"
        texts = [encode_message(message) for message in added]
        rows, head_id = history.append_messages(
            parent_id=live.head.row_id if live.head else None, turn_id=turn_id, messages=texts, now_ms=now
        )
        service = _encoded(core.service_session_id)
        statements: list[Statement] = [*rows, self._row(live, head_id, service, now)]
        if state_text != live.state_text:
            statements.append(sessions.put_session_state(core.session_id, state_text))
        if snapshot:
            statements.append(
                snapshots.add_snapshot(
                    session_id=core.session_id,
                    turn_id=turn_id,
                    head=head_id,
                    state=state_text,
                    service_session_id=service,
                    now_ms=now,
                )
            )
        if checkpoint is not None and (checkpoint is not live.checkpoint or not live.fence):
            statements += _checkpoint_rows(core.session_id, checkpoint, now)
        return SessionSave(statements, _extended(live.head, turn_id, added), state_text, service, checkpoint)

    def unchanged(self, live: LiveSession, *, turn_id: str) -> Statement | None:
        """Keeps the session as it was before a turn that failed, so that this turn can be continued (contract 6.6).

        None where the session was never saved.
        """
        if not live.fence:
            return None
        return snapshots.add_snapshot(
            session_id=live.session.session_id,
            turn_id=turn_id,
            head=live.head.row_id if live.head else None,
            state=live.state_text,
            service_session_id=live.service_text,
            now_ms=epoch_ms(self._clock),
        )

    def saved(self, live: LiveSession, save: SessionSave) -> None:
        """The commit went through: the session goes back to the cache as it is stored now."""
        live.head = save.head
        live.state_text = save.state_text
        live.service_text = save.service_text
        live.checkpoint = save.checkpoint
        live.fence += 1
        self._live[live.name] = live
        while len(self._live) > self._size:
            self._live.popitem(last=False)

    def _row(self, live: LiveSession, head: str | None, service: str | None, now: int) -> Statement:
        core = live.session
        if live.fence:
            return sessions.save_session(
                session_id=core.session_id,
                fence=live.fence,
                head=head,
                service_session_id=service,
                now_ms=now,
            )
        return sessions.create_session(
            isolation_key=live.name.isolation_key,
            key=live.name.key,
            session_id=core.session_id,
            parent_id=live.parent_id,
            head=head,
            service_session_id=service,
            now_ms=now,
        )

    async def _load(self, name: SessionName) -> LiveSession | None:
        rows = await self._store.execute(sessions.load_session(name.isolation_key, name.key))
        stored = sessions.read_session(rows[0])
        if stored is None:
            return None
        state_text = stored.state or "{}"
        session = _restored(stored.session_id, state_text, stored.service_session_id)
        head = await self._chain(stored.head)
        checkpoint = await self._checkpoint(stored.session_id)
        return LiveSession(
            name,
            session,
            head,
            stored.fence,
            state_text,
            stored.parent_id,
            checkpoint,
            stored.service_session_id,
        )

    async def _checkpoint(self, session_id: str) -> WorkflowCheckpoint | None:
        if self._workflow is None:
            return None
        rows = await self._store.execute(checkpoints.load_latest_checkpoint(session_id, self._workflow))
        stored = checkpoints.read_checkpoint(rows[0])
        return decode_checkpoint(stored.payload) if stored else None

    async def _chain(self, head: str | None) -> HistoryNode | None:
        if head is None:
            return None
        rows = await self._store.execute(history.load_history(head))
        return chain_of(history.read_history(rows[0]))

    async def _fork(self, name: SessionName, parent_key: str) -> LiveSession:
        parent_name = SessionName(name.isolation_key, parent_key)
        parent = self._live.get(parent_name) or await self._load(parent_name)
        if parent is None:
            return await self._fork_of_turn(name, parent_key)
        service = parent.session.service_session_id
        parent_id = parent.session.session_id
        forked = self._forked(name, parent_id, parent.head, parent.state_text, _encoded(service))
        forked.checkpoint = parent.checkpoint
        return forked

    async def _fork_of_turn(self, name: SessionName, response_id: str) -> LiveSession:
        """The parent is one turn of a session that has another name, or one that left no session."""
        turn = turns.read_turn((await self._store.execute(turns.load_turn_by_response(response_id)))[0])
        record: dict[str, Any] = msgspec.json.decode(turn.record) if turn else {}
        if turn is None or record.get("owner") != name.isolation_key:
            raise UnknownReference("There is no such response or session.")
        if turn.session_id is None:
            return await self.open(name, parent_key=record.get("parent_key"))
        if self._workflow is not None:
            raise ForkUnsupported(
                "Of a workflow's session only the last state is kept; continue the session itself."
            )
        rows = await self._store.execute(snapshots.load_snapshot(turn.session_id, turn.turn_id))
        snapshot = snapshots.read_snapshot(rows[0])
        if snapshot is None:
            raise UnknownReference("There is no such response or session.")
        head = await self._chain(snapshot.head)
        return self._forked(name, turn.session_id, head, snapshot.state or "{}", snapshot.service_session_id)

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


def _checkpoint_rows(session_id: str, checkpoint: WorkflowCheckpoint, now: int) -> list[Statement]:
    """Writes the checkpoint and removes those before it (contract 8.4)."""
    save = checkpoints.save_checkpoint(
        session_id=session_id,
        checkpoint_id=checkpoint.checkpoint_id,
        workflow_name=checkpoint.workflow_name,
        payload=encode_checkpoint(checkpoint),
        now_ms=now,
    )
    return [save, checkpoints.prune_checkpoints(session_id, keep=checkpoint.checkpoint_id)]


def _encoded(service_session_id: Any) -> str | None:
    return None if service_session_id is None else json.dumps(service_session_id)


def _service_forks(service: str | None) -> bool:
    """Provider response ids can be continued twice, provider conversation ids cannot (contract 6.6)."""
    return service is None or service.startswith('"resp_')


def _extended(head: HistoryNode | None, turn_id: str, added: Sequence[Message]) -> HistoryNode | None:
    for index, message in enumerate(added):
        head = HistoryNode(history.entry_id(turn_id, index), message, head)
    return head
