"""What a session's client keeps, where a workflow's executors and agents find it (contract 3.6).

The session's own `state["client_state"]` is what counts. For a run it is put into the workflow's shared state, for
`ctx.get_state("client_state")`, and into the sessions of the agents inside; afterwards the value that one of them
changed goes back.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, cast

from agent_framework import AgentSession, Executor, Workflow, WorkflowCheckpoint

from ..base import CLIENT_STATE
from .instances import executors_of

_EXECUTORS = "_executor_state"
_NESTED = "sub_workflow_checkpoint"
_NOTHING = object()


def seed_of(
    workflow: Workflow, before: WorkflowCheckpoint | None, session: AgentSession | None
) -> WorkflowCheckpoint | None:
    """The checkpoint to begin at so that the workflow's shared state has the client's; None if there is none.

    A first turn gets one that says nothing else: core takes shared state in no other way.
    """
    if session is None or CLIENT_STATE not in session.state:
        return None
    first = WorkflowCheckpoint(workflow.name, workflow.graph_signature_hash)
    found = _without_theirs(before) if before is not None else first
    return dataclasses.replace(found, state={**found.state, CLIENT_STATE: session.state[CLIENT_STATE]})


def hand_out(workflow: Workflow, session: AgentSession) -> None:
    """Gives the client's state to the agents, once the instance is restored; they share one copy."""
    shared = copy.deepcopy(session.state[CLIENT_STATE])
    for inner in _agent_sessions(workflow):
        inner.state[CLIENT_STATE] = shared


def take_back(workflow: Workflow, saved: WorkflowCheckpoint | None, session: AgentSession) -> None:
    """Puts the value after the run into the session: the shared state's if that changed, else the first agent's that did.

    Args:
        workflow: The instance after its run.
        saved: The checkpoint at the run's end.
        session: The turn's session.
    """
    given = session.state.get(CLIENT_STATE, _NOTHING)
    shared = saved.state.get(CLIENT_STATE, _NOTHING) if saved is not None else _NOTHING
    theirs = [inner.state.get(CLIENT_STATE, _NOTHING) for inner in _agent_sessions(workflow)]
    for value in (shared, *theirs):
        if value is not _NOTHING and (given is _NOTHING or value != given):
            session.state[CLIENT_STATE] = value
            return


def _without_theirs(checkpoint: WorkflowCheckpoint) -> WorkflowCheckpoint:
    """Core would read a client's `{"type": "message", ...}` in an agent's session as a message of its own."""
    executors = cast("Mapping[str, Any]", checkpoint.state.get(_EXECUTORS) or {})
    cleaned = {id: _executor_without(state) for id, state in executors.items()}
    return dataclasses.replace(checkpoint, state={**checkpoint.state, _EXECUTORS: cleaned})


def _executor_without(executor: Any) -> Any:
    if not isinstance(executor, dict):
        return executor
    own = cast("dict[str, Any]", executor)
    if isinstance(own.get(_NESTED), WorkflowCheckpoint):
        return {**own, _NESTED: _without_theirs(own[_NESTED])}
    fields = cast("dict[str, Any]", own.get("agent_session") or {})
    state = cast("dict[str, Any]", fields.get("state") or {})
    if CLIENT_STATE not in state:
        return own
    rest = {name: value for name, value in state.items() if name != CLIENT_STATE}
    return {**own, "agent_session": {**fields, "state": rest}}


def _agent_sessions(workflow: Workflow) -> Iterator[AgentSession]:
    for executor in executors_of(workflow):
        found = _session_of(executor)
        if found is not None:
            yield found


def _session_of(executor: Executor) -> AgentSession | None:
    """Core's agent executors show their session nowhere in public."""
    session = vars(executor).get("_session")
    return session if isinstance(session, AgentSession) else None
