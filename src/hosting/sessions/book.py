"""The host's sessions: opened, reset, saved, and kept live in a bounded cache (contract 6.2, 6.5, 6.6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from agent_framework import Message, WorkflowCheckpoint

from ..clock import TimeSource, epoch_ms
from ..ids import IdSource
from ..state.base import HostStateStore, Statement
from ..state.tables import aliases, sessions
from .checkpoint_place import CheckpointPlace
from .checkpoints import SessionCheckpoints
from .live import LiveSession, SessionSave
from .names import SessionName
from .opening import SessionOpener
from .saving import session_save, snapshot_of_before

FIRST_ALIAS = "main"
"""The key of a person's session until they reset it."""


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
        window: Messages of a history that are loaded; None for all.
        shared: Whether other hosts write to the store: a live copy is used only if it has the stored fence.
        keeps_checkpoints: Whether a workflow is served, whose checkpoints go with its sessions.
        place: Where checkpoints are kept instead of the store (contract 8.5).
    """

    def __init__(
        self,
        store: HostStateStore,
        *,
        clock: TimeSource,
        ids: IdSource,
        cache: int,
        forkable: bool = True,
        window: int | None = None,
        shared: bool = False,
        keeps_checkpoints: bool = False,
        place: CheckpointPlace | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._size = cache
        self._shared = shared
        self._checkpoints = SessionCheckpoints(store, kept=keeps_checkpoints, place=place)
        self._opener = SessionOpener(store, self._checkpoints, ids=ids, forkable=forkable, window=window)
        self._live: OrderedDict[SessionName, LiveSession] = OrderedDict()

    @property
    def checkpoint_place(self) -> str:
        """Where checkpoints are, if not in the store, in a few words."""
        return self._checkpoints.place

    async def alias(self, isolation_key: str) -> str:
        """The key of the session that `isolation_key` means now (contract 6.5)."""
        rows = await self._store.execute(aliases.load_alias(isolation_key))
        return aliases.read_alias(rows[0]) or FIRST_ALIAS

    async def reset(self, isolation_key: str) -> None:
        """Moves `isolation_key` to a new session; the old one stays readable under its own key."""
        key = self._ids.new("alias")
        await self._store.execute(aliases.move_alias(isolation_key, key, now_ms=epoch_ms(self._clock)))

    async def open(
        self,
        name: SessionName,
        *,
        parent_key: str | None = None,
        is_new: bool = False,
    ) -> LiveSession:
        """The session of that name; one that does not exist yet starts empty, or as its parent was.

        The caller holds its lock since before: what is read in one unit with taking it may be older than that.

        Args:
            name: The session.
            parent_key: Its parent, if it is new.
            is_new: Its name was made for it just now, so that nobody need look.

        Raises:
            UnknownReference: There is no such parent, or it is someone else's.
            ForkUnsupported: The target keeps its history where it cannot be forked.
        """
        live = None if is_new else await self._unexpired(name)
        if live is not None:
            return live
        if parent_key is None:
            return self._opener.empty(name)
        return await self._fork(name, parent_key)

    async def _unexpired(self, name: SessionName) -> LiveSession | None:
        """The session of that name; one whose time is over is removed.

        The sweep leaves it for a day more, so that it takes none from under a turn.
        """
        live = await self._cached(name) or await self._opener.load(name)
        if live is not None and self._is_over(live):
            await self._remove(live)
            return None
        return live

    def _is_over(self, live: LiveSession) -> bool:
        return live.expires_ms is not None and live.expires_ms <= epoch_ms(self._clock)

    async def _cached(self, name: SessionName) -> LiveSession | None:
        return await self._unless_old(self._live.pop(name, None))

    async def _unless_old(self, live: LiveSession | None) -> LiveSession | None:
        if live is None or not self._shared or live.fence == await self._opener.fence(live.name):
            return live
        return None

    async def resume(self, live: LiveSession, checkpoint_id: object) -> None:
        """The session goes on at a checkpoint of its own (contract 8.4, `attributes["workflow.checkpoint_id"]`).

        Raises:
            UnknownReference: The session has no such checkpoint.
        """
        live.checkpoint = await self._checkpoints.find(live, checkpoint_id)

    async def forget(self, name: SessionName) -> bool:
        """Deletes the session; True if there was one."""
        live = self._live.pop(name, None) or await self._opener.load(name)
        if live is None or not live.fence:
            return False
        await self._remove(live)
        return True

    async def _remove(self, live: LiveSession) -> None:
        await self._store.execute(*sessions.delete_session(live.session.session_id))
        await self._checkpoints.forget(live)

    def save(
        self,
        live: LiveSession,
        *,
        turn_id: str,
        added: Sequence[Message],
        snapshot: bool,
        expires_ms: int | None,
        snapshot_expires_ms: int,
        checkpoint: WorkflowCheckpoint | None = None,
    ) -> SessionSave:
        """What the commit of a turn writes of its session (contract 4.4); the arguments are those of `session_save`.

        Raises:
            TypeError: The session's state holds something that is no JSON.
            UnregisteredType: The checkpoint holds a value of a type that was not registered.
        """
        return session_save(
            live,
            turn_id=turn_id,
            added=added,
            snapshot=snapshot,
            checkpoint=checkpoint,
            checkpoints=self._checkpoints,
            now_ms=epoch_ms(self._clock),
            expires_ms=expires_ms,
            snapshot_expires_ms=snapshot_expires_ms,
        )

    def checkpoint_kept(self, live: LiveSession, save: SessionSave) -> AbstractAsyncContextManager[None]:
        """Goes around the commit of a save whose checkpoint is kept elsewhere; see `SessionCheckpoints.around`."""
        return self._checkpoints.around(live, save)

    def unchanged(self, live: LiveSession, *, turn_id: str, expires_ms: int) -> Statement | None:
        """Keeps the session as it was before a turn that failed, so that this turn can be continued (contract 6.6).

        None where the session was never saved.
        """
        if not live.fence:
            return None
        return snapshot_of_before(live, turn_id=turn_id, now_ms=epoch_ms(self._clock), expires_ms=expires_ms)

    def saved(self, live: LiveSession, save: SessionSave) -> None:
        """The commit went through: the session goes back to the cache as it is stored now."""
        live.head = save.head
        live.state_text = save.state_text
        live.service_text = save.service_text
        live.checkpoint = save.checkpoint
        live.expires_ms = save.expires_ms
        live.kept = save.checkpoint.checkpoint_id if save.checkpoint else None
        live.fence += 1
        self._live[live.name] = live
        while len(self._live) > self._size:
            self._live.popitem(last=False)

    async def close(self) -> None:
        """Lets go of what the checkpoints' place holds."""
        await self._checkpoints.close()

    async def _fork(self, name: SessionName, parent_key: str) -> LiveSession:
        parent_name = SessionName(name.isolation_key, parent_key)
        live = await self._unless_old(self._live.get(parent_name))
        parent = live or await self._opener.load(parent_name)
        if parent is not None and not self._is_over(parent):
            return self._opener.fork(name, parent)
        # The parent is one turn of a session that has another name, or one that left no session.
        turn, before = await self._opener.turn_of(name, parent_key)
        if turn.session_id is None:
            return await self.open(name, parent_key=before)
        return await self._opener.fork_of_turn(name, turn.turn_id, turn.session_id)
