"""Sees what a channel contributes without touching its private parts: through the public `contribute` alone."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hosting import Channel, ChannelContext, ChannelContribution

from ..targets.recorder import RecordedRun, Recorder
from .events import EventLog
from .model import Unproven

LifecycleCallback = Callable[[], Any]


class _LoggedRuns(list[RecordedRun]):
    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    def append(self, run: RecordedRun, /) -> None:
        self._log.add("target.run", ascii(run.text[:40]))
        super().append(run)


def observed_target(target: Any, log: EventLog) -> Recorder:
    """`target`, with every run recorded and logged."""
    recorder = Recorder(target)
    recorder.runs = _LoggedRuns(log)
    return recorder


def observe_contributions(channel: Channel, log: EventLog, contributions: list[ChannelContribution]) -> None:
    """Logs the channel's life-cycle callbacks and appends what it contributes to `contributions`.

    The channel stays the same object; its class becomes a subclass of its own in which `contribute` reports.
    """
    kind = type(channel)

    def contribute(self: Any, context: ChannelContext) -> ChannelContribution:
        contribution = kind.contribute(self, context)
        contributions.append(contribution)
        return replace(
            contribution,
            on_startup=_logged(contribution.on_startup, "startup", log),
            on_shutdown=_logged(contribution.on_shutdown, "shutdown", log),
        )

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
