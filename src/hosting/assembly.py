"""Puts the parts of a host together, once; does no I/O (contract 1.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .channel import Channel, ChannelIngress, ChannelPush
from .clock import TimeSource
from .delivery.inbox import GiveUp, Inbox
from .delivery.outbox import Outbox
from .delivery.progress import Progress
from .durable.runner import DurableTaskRunner, RunnerServices
from .durable.runtime import RuntimePlan
from .ids import IdSource
from .instance import Instance
from .lifecycle import Lifecycle
from .limits import HostLimits
from .parts import build_services, checkpoint_place, more_parts
from .state import HostStateStore, Sweeper
from .state.paths import StatePlan
from .state.tables.events import TakenEvent
from .tasks import OwnedTasks
from .turn.interrupted import end_interrupted
from .turn.services import TurnServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every part of a host stands on.

    Args:
        clock: Where time comes from.
        ids: Where ids come from.
        limits: What the host bounds.
        logger: Told of what operators should know.
        draining: Set when draining begins.
        debug: Adds detail to errors.
    """

    clock: TimeSource
    ids: IdSource
    limits: HostLimits
    logger: logging.Logger
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    debug: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """What the options of a host come to.

    Args:
        state: Which store keeps what.
        runtime: Whether the process stays between requests.
        runner: Runs durable tasks, if anybody does.
        checkpoint_location: As the host's option.
        log_content: Whether message text may be logged.
    """

    state: StatePlan
    runtime: RuntimePlan
    runner: DurableTaskRunner | None
    checkpoint_location: Any = None
    log_content: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostParts:
    """The parts that a host speaks to itself."""

    inbox: Inbox
    services: TurnServices
    instance: Instance
    tasks: OwnedTasks
    lifecycle: Lifecycle


def assemble(
    target: Any,
    channels: Mapping[str, Channel],
    ground: Ground,
    plan: HostPlan,
    *,
    give_up: GiveUp,
    run: Callable[[TakenEvent], Awaitable[None]],
) -> HostParts:
    """All parts of a host.

    Args:
        target: The agent or workflow.
        channels: The channels by name.
        ground: What the parts stand on.
        plan: What the options come to.
        give_up: Ends an event that may not be run again.
        run: Makes one attempt at a background run.

    Raises:
        ChannelConfigurationError: The target, its checkpoints or the runner do not fit.
    """
    store, instance_id = plan.state.store, ground.ids.new("host")
    if plan.runner is not None:
        plan.runner.bind(
            RunnerServices(store=store, clock=ground.clock, ids=ground.ids, logger=ground.logger)
        )
    progress = Progress()
    outbox = _outbox(store, channels, ground, progress, owner=instance_id)
    inbox = Inbox(
        store,
        {name: channel for name, channel in channels.items() if isinstance(channel, ChannelIngress)},
        owner=instance_id,
        clock=ground.clock,
        ids=ground.ids,
        limits=ground.limits,
        give_up=give_up,
        run=run,
        logger=ground.logger,
        draining=ground.draining,
        progress=progress,
        answer_first=plan.runtime.turns_before_acknowledgement,
    )
    sweeper = Sweeper(store, clock=ground.clock, logger=ground.logger)
    services = build_services(
        target,
        store,
        limits=ground.limits,
        clock=ground.clock,
        ids=ground.ids,
        logger=ground.logger,
        instance=instance_id,
        draining=ground.draining,
        wake_inbox=inbox.wake,
        wake_outbox=outbox.wake,
        nudge_sweeper=sweeper.nudge,
        debug=ground.debug,
        log_content=plan.log_content,
        checkpoint_location=checkpoint_place(plan.checkpoint_location, plan.state, target),
    )
    instance = Instance(
        store, id=instance_id, clock=ground.clock, logger=ground.logger, lost=services.running.give_up
    )
    tasks = OwnedTasks(ground.logger)
    lifecycle = Lifecycle(
        store,
        instance,
        inbox,
        outbox,
        sweeper,
        more_parts(services),
        tasks,
        services.running,
        ground.draining,
        ground.limits,
        ground.logger,
        runner=plan.runner,
        recover=lambda: end_interrupted(services),
    )
    return HostParts(inbox=inbox, services=services, instance=instance, tasks=tasks, lifecycle=lifecycle)


def _outbox(
    store: HostStateStore, channels: Mapping[str, Channel], ground: Ground, progress: Progress, *, owner: str
) -> Outbox:
    return Outbox(
        store,
        {name: channel for name, channel in channels.items() if isinstance(channel, ChannelPush)},
        owner=owner,
        clock=ground.clock,
        logger=ground.logger,
        progress=progress,
    )
