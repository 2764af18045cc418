"""Sees what a channel contributes without touching its private parts: through the public `contribute` alone."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from agent_framework import Workflow

from hosting import Channel, ChannelConfigurationError, ChannelContext, ChannelContribution

from ..targets.recorder import RecordedRun, Recorder
from .events import EventLog
from .model import Failed, RuleStopped, Unproven

LifecycleCallback = Callable[[], Any]


class _LoggedRuns(list[RecordedRun]):
    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    def append(self, run: RecordedRun, /) -> None:
        self._log.add("target.run", ascii(run.text[:40]))
        super().append(run)


def observed_target(target: Any, log: EventLog) -> tuple[Any, Sequence[RecordedRun]]:
    """What the host is given for `target`, and the runs that it has had; those of workflows are not recorded."""
    if isinstance(target, Workflow) or not hasattr(target, "run"):
        return target, ()
    recorder = Recorder(target)
    recorder.runs = _LoggedRuns(log)
    return recorder, recorder.runs


def observe_contributions(channel: Channel, log: EventLog, contributions: list[ChannelContribution]) -> None:
    """Logs the channel's life-cycle callbacks and appends what it contributes to `contributions`."""

    def observed(contribution: ChannelContribution) -> ChannelContribution:
        contributions.append(contribution)
        return replace(
            contribution,
            on_startup=_logged(contribution.on_startup, "startup", log),
            on_shutdown=_logged(contribution.on_shutdown, "shutdown", log),
        )

    change_contribution(channel, observed)


def change_contribution(
    channel: Channel, change: Callable[[ChannelContribution], ChannelContribution]
) -> None:
    """Has the channel contribute what `change` makes of its contribution.

    The channel stays the same object; its class becomes a subclass of its own with another `contribute`. What its own
    `contribute` raises is the channel's failure, not the kit's.

    Raises:
        Unproven: Its class cannot be changed.
    """
    kind = type(channel)

    def contribute(self: Any, context: ChannelContext) -> ChannelContribution:
        try:
            contribution = kind.contribute(self, context)
        except (ChannelConfigurationError, RuleStopped):
            raise
        except Exception as error:
            raise Failed(f"contribute() raised {type(error).__name__}: {error}") from error
        return change(contribution)

    def body(namespace: dict[str, Any]) -> None:
        namespace.update(__slots__=(), contribute=contribute, __module__=kind.__module__)

    try:
        object.__setattr__(channel, "__class__", types.new_class(kind.__name__, (kind,), exec_body=body))
    except TypeError as error:
        raise Unproven(f"contribute() of {kind.__name__} cannot be observed: {error}") from error


def _logged(callbacks: Any, phase: str, log: EventLog) -> list[LifecycleCallback]:
    return [_log_one(callback, phase, number, log) for number, callback in enumerate(callbacks, 1)]


def _log_one(callback: LifecycleCallback, phase: str, number: int, log: EventLog) -> LifecycleCallback:
    async def run() -> None:
        log.add(f"{phase}.begin", str(number))
        await callback()
        log.add(f"{phase}.end", str(number))

    return run
