"""The runner of a host: chosen with the runtime mode, in one place (contract 11.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..channel import Channel
from ..errors import ChannelConfigurationError
from ..state.paths import StatePlan
from ..state.sqlite import SqliteHostStateStore
from .in_process import InProcessTaskRunner
from .runner import DurableTaskRunner
from .runtime import RuntimeFacts, RuntimePlan, plan_runtime


def plan_tasks(
    given: Any,
    *,
    mode: str,
    allow_in_process_runner: bool,
    environ: Mapping[str, str],
    channels: Iterable[Channel],
    state: StatePlan,
) -> tuple[RuntimePlan, DurableTaskRunner | None]:
    """The runtime mode, and who runs the durable tasks; nobody where the process does not stay.

    Args:
        given: The runner that the app chose, or None for the embedded one.
        mode: The host's `runtime_mode`.
        allow_in_process_runner: The host's option.
        environ: Where platforms say that they are there.
        channels: The host's.
        state: Where the host's state is.

    Raises:
        ChannelConfigurationError: Something that was given cannot work in this mode.
    """
    if given is not None and not isinstance(given, DurableTaskRunner):
        raise ChannelConfigurationError(
            f"found {type(given).__name__}, expected a durable task runner, such as InProcessTaskRunner() or "
            "ProcrastinateTaskRunner(url)",
            field="durable_task_runner",
        )
    facts = RuntimeFacts(
        runner=None if given is None else "in_process" if given.in_process else "external",
        allow_in_process_runner=allow_in_process_runner,
        transports={channel.name: getattr(channel, "transport", "http") for channel in channels},
        local_disk=isinstance(state.store, SqliteHostStateStore),
    )
    runtime = plan_runtime(mode, environ, facts)
    if given is None and runtime.in_process_runner:
        return runtime, InProcessTaskRunner(None if state.runner is state.store else state.runner)
    return runtime, given
