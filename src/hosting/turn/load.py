"""Step: the session is opened, or forked from its parent, and bound to the run (contract 6.2, 6.6)."""

from __future__ import annotations

import copy

from agent_framework import AgentSession

from ..errors import TurnInProgress, UnknownReference
from ..sessions.history import HistoryTurn
from ..sessions.live import LiveSession
from ..sessions.names import SessionName
from ..targets.base import CLIENT_STATE
from ..targets.checkpoints import StagedCheckpointStorage
from .services import TurnServices
from .turn import Turn

CHECKPOINT_ID = "workflow.checkpoint_id"
"""The attribute by which host code and hooks name the checkpoint to go on at; no caller can set it (contract 8.4)."""


async def load(turn: Turn, services: TurnServices) -> None:
    """Sets `turn.session` and what the target gets of it: a throwaway where it needs one all the same (contract 3.6).

    Raises:
        UnknownReference: The parent, or the checkpoint asked for, does not exist or belongs to someone else.
        TurnInProgress: The parent is still running.
        ForkUnsupported: The target cannot fork its history.
    """
    client_state = turn.request.client_state
    if turn.name is not None:
        turn.given = (await _opened(turn, turn.name, services)).session
    elif services.target.info.kind == "workflow" and CHECKPOINT_ID in turn.request.attributes:
        raise UnknownReference("There is no such checkpoint.")
    elif client_state is not None or services.target.finds_turn_by_session:
        turn.given = AgentSession(session_id=services.ids.new("sess"))
    if turn.given is not None and client_state is not None:
        turn.given.state[CLIENT_STATE] = copy.deepcopy(client_state)


async def _opened(turn: Turn, name: SessionName, services: TurnServices) -> LiveSession:
    parent_key = turn.request.session.parent_key if turn.request.session else None
    if parent_key is not None:
        parent = SessionName(name.isolation_key, parent_key)
        if await services.locks.is_held(parent) or _still_runs(parent_key, turn, services):
            raise TurnInProgress(
                "The response that this one continues is still in progress.", retry_after=1.0
            )
    is_new = name.key == turn.response_id
    live = await services.sessions.open(name, parent_key=parent_key, is_new=is_new)
    turn.session = live
    if services.target.info.kind == "workflow":
        if CHECKPOINT_ID in turn.request.attributes:
            await services.sessions.resume(live, turn.request.attributes[CHECKPOINT_ID])
        turn.checkpoints = StagedCheckpointStorage(live.checkpoint)
    if services.history is not None:
        provider_side = live.session.service_session_id is not None
        turn.history = HistoryTurn(live.head, provider_side)
        services.history.bind(live.session.session_id, turn.history)
    return live


def _still_runs(response_id: str, turn: Turn, services: TurnServices) -> bool:
    """Whether a turn of the same owner runs under that id; another's is as good as unknown (contract 6.12)."""
    running = services.running.find(response_id)
    if running is None or running is turn or turn.name is None:
        return False
    if running.name is None:
        return running.request.caller == turn.request.caller
    return running.name.isolation_key == turn.name.isolation_key


def unload(turn: Turn, services: TurnServices) -> None:
    """Lets go of the session; one that was not saved is gone with the turn. Safe to call at any point."""
    if turn.session is not None and services.history is not None:
        services.history.release(turn.session.session.session_id)
