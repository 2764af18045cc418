"""Builds the parts of a host from its options, once (contract 1.1)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from agent_framework import HistoryProvider, InMemoryHistoryProvider, SupportsAgentRun, Workflow

from .channel import Channel
from .clock import TimeSource
from .errors import ChannelConfigurationError
from .identity.resolver import FirstSightResolver
from .ids import IdSource
from .limits import HostLimits
from .sessions.book import SessionBook
from .sessions.history import HostHistoryProvider
from .sessions.locks import SessionLocks
from .state import HostStateStore, InMemoryHostStateStore, SqliteHostStateStore, open_store
from .targets.agent import AgentTarget
from .targets.base import Target
from .targets.workflow import WorkflowTarget
from .telemetry import TurnTelemetry
from .turn.registry import RunningTurns
from .turn.services import TurnServices
from .turn.slots import RunSlots
from .turn.turn import ChannelEntry

_READ_FROM_CHANNEL = (
    "run_hook",
    "response_hook",
    "stream_update_hook",
    "stream_with_response_hook",
    "conversation_scope",
    "apology",
)


def build_target(target: Any, *, ids: IdSource) -> Target:
    """The target behind its one face.

    Raises:
        ChannelConfigurationError: It is neither an agent, a workflow nor a factory of workflows.
    """
    if isinstance(target, Workflow):
        return WorkflowTarget(target, ids=ids)
    if isinstance(target, SupportsAgentRun):
        return AgentTarget(target, ids=ids)
    if callable(target):
        return WorkflowTarget(cast("Callable[[], Workflow]", target), ids=ids)
    raise ChannelConfigurationError(
        f"found {type(target).__name__}, expected an agent, a workflow or a factory of workflows",
        field="target",
    )


def build_store(state: Any, state_dir: str | Path | None, *, logger: logging.Logger) -> HostStateStore:
    """The store that the options name: an object or URL, a folder, or memory (contract 15.1)."""
    if state is not None:
        if state_dir is not None:
            logger.warning("both state and state_dir are given; state wins")
        return open_store(state)
    if state_dir is None:
        return InMemoryHostStateStore()
    return SqliteHostStateStore(Path(state_dir) / "hosting.db")


def history_of(target: Any) -> tuple[HostHistoryProvider | None, bool]:
    """The host's history provider for this target, and whether its history forks (contract 6.6, 6.11).

    An agent without a loading provider of its own gets ours, once; a second host of the same agent shares it.
    """
    providers = getattr(target, "context_providers", None)
    if not isinstance(providers, list):
        return None, True
    known = cast("list[Any]", providers)
    loading = [item for item in known if isinstance(item, HistoryProvider) and item.load_messages]
    if not loading:
        ours = HostHistoryProvider()
        known.insert(0, ours)
        return ours, True
    first = loading[0]
    if isinstance(first, HostHistoryProvider):
        return first, True
    return None, isinstance(first, InMemoryHistoryProvider) or hasattr(target, "fork_session")


def build_services(
    target: Any,
    store: HostStateStore,
    *,
    limits: HostLimits,
    clock: TimeSource,
    ids: IdSource,
    logger: logging.Logger,
    wake_outbox: Callable[[], None],
    nudge_sweeper: Callable[[], None],
    debug: bool,
    log_content: bool = False,
) -> TurnServices:
    """Everything that turns share."""
    history, forkable = history_of(target)
    if not forkable:
        logger.warning(
            "the target keeps its history where it cannot be forked: a second continuation is refused"
        )
    served = build_target(target, ids=ids)
    workflow = served.info.name if served.info.kind == "workflow" else None
    return TurnServices(
        target=served,
        store=store,
        sessions=SessionBook(
            store, clock=clock, ids=ids, cache=limits.session_cache, forkable=forkable, workflow=workflow
        ),
        history=history,
        locks=SessionLocks(policy=limits.turn_policy, queue=limits.session_queue),
        slots=RunSlots(slots=limits.max_concurrent_runs, queue=limits.run_queue),
        running=RunningTurns(),
        resolver=FirstSightResolver(store, ids=ids, clock=clock),
        clock=clock,
        ids=ids,
        limits=limits,
        telemetry=TurnTelemetry(logger, log_content=log_content),
        logger=logger,
        wake_outbox=wake_outbox,
        nudge_sweeper=nudge_sweeper,
        debug=debug,
    )


def channel_entry(channel: Channel) -> ChannelEntry:
    """A channel with its optional attributes read; those it lacks keep their defaults (contract 2.3)."""
    given = {
        name: getattr(channel, name)
        for name in _READ_FROM_CHANNEL
        if getattr(channel, name, None) is not None
    }
    return ChannelEntry(channel=channel, name=channel.name, **given)
