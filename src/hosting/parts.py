"""Builds the parts of a host from its options, once (contract 1.1)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

from agent_framework import (
    HistoryProvider,
    InMemoryCheckpointStorage,
    InMemoryHistoryProvider,
    SupportsAgentRun,
    Workflow,
    WorkflowAgent,
)

from .channel import Channel
from .clock import TimeSource
from .errors import ChannelConfigurationError
from .identity.resolver import FirstSightResolver
from .ids import IdSource
from .instance import is_exclusive
from .limits import HostLimits
from .runs.log import RunLogReader
from .sessions.book import SessionBook
from .sessions.checkpoint_location import place_of
from .sessions.history import HostHistoryProvider
from .sessions.locks import SessionLocks, TurnLocks
from .sessions.shared_locks import SharedSessionLocks
from .state import HostStateStore
from .state.paths import StatePlan
from .targets.agent import AgentTarget
from .targets.base import Target
from .targets.workflow import WorkflowTarget
from .telemetry import TurnTelemetry
from .turn.cancels import CancelWatcher
from .turn.late_ends import LateEnds
from .turn.registry import RunningTurns
from .turn.run_times import RunTimes
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


def unwrapped(target: Any) -> Any:
    """The workflow of a `workflow.as_agent()`: core's wrapper runs one turn at a time for all sessions (contract 8.1).

    Raises:
        ChannelConfigurationError: The wrapper has context providers, which the workflow would run without.
    """
    if not isinstance(target, WorkflowAgent):
        return target
    if target.context_providers:
        raise ChannelConfigurationError(
            "this workflow was made an agent with context providers; give them to the agents inside the workflow, and "
            "pass the workflow itself",
            field="target",
        )
    return target.workflow


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


def checkpoint_place(given: Any, plan: StatePlan, target: Any) -> Any:
    """Where a workflow's checkpoints go: what the option says, else the folder that `HostStatePaths` names for them."""
    if given is not None or plan.checkpoints is None or isinstance(unwrapped(target), SupportsAgentRun):
        return given
    return plan.checkpoints or InMemoryCheckpointStorage()


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
    instance: str,
    draining: asyncio.Event,
    wake_inbox: Callable[[], None],
    wake_outbox: Callable[[], None],
    nudge_sweeper: Callable[[], None],
    debug: bool,
    log_content: bool = False,
    checkpoint_location: Any = None,
) -> TurnServices:
    """Everything that turns share.

    Raises:
        ChannelConfigurationError: The target, or the place of its checkpoints, does not fit.
    """
    target = unwrapped(target)
    history, forkable = history_of(target)
    if not forkable:
        logger.warning(
            "the target keeps its history where it cannot be forked: a second continuation is refused"
        )
    served = build_target(target, ids=ids)
    workflow = served.info.name if served.info.kind == "workflow" else None
    place = place_of(checkpoint_location, workflow=workflow)
    if place is not None and not store.durable:
        logger.warning(
            "checkpoint_location is given, but the state is in memory: the checkpoints outlive the sessions that could "
            "go on at them; give state_dir= or state= too"
        )
    return TurnServices(
        target=served,
        instance=instance,
        store=store,
        sessions=SessionBook(
            store,
            clock=clock,
            ids=ids,
            cache=limits.session_cache,
            forkable=forkable,
            window=history.window if history else None,
            shared=not is_exclusive(store),
            keeps_checkpoints=workflow is not None,
            place=place,
        ),
        history=history,
        locks=_locks(store, instance, clock, limits),
        slots=RunSlots(slots=limits.max_concurrent_runs, queue=limits.run_queue),
        running=RunningTurns(),
        run_times=RunTimes(limits.run_timeout),
        background_times=RunTimes(limits.background_timeout),
        logs=RunLogReader(store, clock, limits.keepalive, draining=draining, patience=limits.drain_timeout),
        resolver=FirstSightResolver(store, ids=ids, clock=clock),
        clock=clock,
        ids=ids,
        limits=limits,
        telemetry=TurnTelemetry(logger, log_content=log_content),
        logger=logger,
        wake_inbox=wake_inbox,
        wake_outbox=wake_outbox,
        nudge_sweeper=nudge_sweeper,
        late_ends=LateEnds(logger),
        debug=debug,
    )


def more_parts(services: TurnServices) -> dict[str, Any]:
    """What a host runs besides; some only if it shares its store with others."""
    parts: dict[str, Any] = {"ends": services.late_ends}
    if isinstance(services.locks, SharedSessionLocks):
        watcher = CancelWatcher(services.store, services.running, services.clock)
        parts |= {"locks": services.locks, "cancels": watcher}
    return parts


def _locks(store: HostStateStore, instance: str, clock: TimeSource, limits: HostLimits) -> TurnLocks:
    policy, queue = limits.turn_policy, limits.session_queue
    if is_exclusive(store):
        return SessionLocks(policy=policy, queue=queue)
    return SharedSessionLocks(store, owner=instance, clock=clock, policy=policy, queue=queue)


def channel_entry(channel: Channel) -> ChannelEntry:
    """A channel with its optional attributes read; those it lacks keep their defaults (contract 2.3)."""
    given = {
        name: getattr(channel, name)
        for name in _READ_FROM_CHANNEL
        if getattr(channel, name, None) is not None
    }
    return ChannelEntry(channel=channel, name=channel.name, **given)
