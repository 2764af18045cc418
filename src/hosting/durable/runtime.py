"""Whether the process may be frozen or ended between requests, and what follows from that (contract 11.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import ChannelConfigurationError

RuntimeMode = Literal["auto", "long_running", "ephemeral"]
"""`ephemeral`: the process lives for requests only; work that outlives one must not depend on it."""

Platform = Literal["Foundry", "Azure Functions", "AWS Lambda"]

_VARIABLES: Mapping[Platform, Sequence[str]] = {
    "Foundry": ("FOUNDRY_HOSTING_ENVIRONMENT",),
    "Azure Functions": ("FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION"),
    "AWS Lambda": ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"),
}
"""Variables that the platform itself sets; one that is not empty is enough."""

_INSTEAD = (
    "give durable_task_runner=ProcrastinateTaskRunner(...), or allow_in_process_runner=True if the platform keeps the "
    "process running"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFacts:
    """What a host was given, as far as the runtime mode is concerned.

    Args:
        runner: The runner that was given: one in this process, one elsewhere, or none.
        allow_in_process_runner: The host's option.
        transports: The transport of each channel, by the channel's name.
        needs_runner: What cannot do without a runner, in words, such as "channel telegram".
        local_disk: Whether the state is kept on a disk of this machine.
    """

    runner: Literal["in_process", "external"] | None = None
    allow_in_process_runner: bool = False
    transports: Mapping[str, str]
    needs_runner: Sequence[str] = ()
    local_disk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePlan:
    """What the host does.

    Args:
        mode: `long_running` or `ephemeral`, never `auto`.
        platform: The platform that was found, whatever the mode.
        in_process_runner: Whether the host runs durable tasks in this process.
        turns_before_acknowledgement: Whether a webhook's turn runs before its acknowledgement.
        warnings: To be said at start.
    """

    mode: Literal["long_running", "ephemeral"]
    platform: Platform | None
    in_process_runner: bool
    turns_before_acknowledgement: bool
    warnings: tuple[str, ...] = ()

    def describe(self) -> str:
        """The mode in a few words for the start line (contract 1.9)."""
        return f"{self.mode} ({self.platform})" if self.platform else self.mode


def platform_of(environ: Mapping[str, str]) -> Platform | None:
    """The platform whose variables are set, or None."""
    for platform, names in _VARIABLES.items():
        if any(environ.get(name) for name in names):
            return platform
    return None


def plan_runtime(mode: str, environ: Mapping[str, str], facts: RuntimeFacts) -> RuntimePlan:
    """What a host of this mode does in this environment.

    Raises:
        ChannelConfigurationError: The mode is none, or something that was given cannot work in it.
    """
    if mode not in get_args(RuntimeMode):
        raise ChannelConfigurationError(
            f"found {mode!r}, expected 'auto', 'long_running' or 'ephemeral'", field="runtime_mode"
        )
    platform = platform_of(environ)
    if mode == "ephemeral" or (mode == "auto" and platform is not None):
        return _ephemeral(platform, facts)
    return RuntimePlan(
        mode="long_running",
        platform=platform,
        in_process_runner=facts.runner != "external",
        turns_before_acknowledgement=False,
        warnings=_told_otherwise(platform),
    )


def _ephemeral(platform: Platform | None, facts: RuntimeFacts) -> RuntimePlan:
    why = (
        f"this process runs on {platform} and lives"
        if platform
        else "runtime_mode='ephemeral': the process lives"
    )
    for channel, transport in facts.transports.items():
        if transport != "http":
            raise ChannelConfigurationError(
                f"{why} for requests only, so nothing would keep the transport {transport!r} open: use the platform's "
                "webhooks, or runtime_mode='long_running' where the process stays",
                channel=channel,
                field="transport",
            )
    if facts.runner != "external" and not facts.allow_in_process_runner:
        _refuse_in_process(why, facts)
    external = facts.runner == "external"
    return RuntimePlan(
        mode="ephemeral",
        platform=platform,
        in_process_runner=not external and facts.allow_in_process_runner,
        turns_before_acknowledgement=not external,
        warnings=_warnings(facts),
    )


def _refuse_in_process(why: str, facts: RuntimeFacts) -> None:
    if facts.runner == "in_process":
        raise ChannelConfigurationError(
            f"{why} for requests only, so a runner inside it would stop with its tasks undone: {_INSTEAD}",
            field="durable_task_runner",
        )
    if facts.needs_runner:
        raise ChannelConfigurationError(
            f"{why} for requests only, and {', '.join(facts.needs_runner)} needs durable tasks: {_INSTEAD}",
            field="durable_task_runner",
        )


def _warnings(facts: RuntimeFacts) -> tuple[str, ...]:
    warnings: list[str] = []
    if facts.local_disk:
        warnings.append(
            "the state is on a local disk that goes with the process: sessions are lost, and other instances do not see "
            "them; give state='postgresql://...'"
        )
    if facts.allow_in_process_runner and facts.runner != "external":
        warnings.append(
            "allow_in_process_runner=True: durable tasks stand still whenever the platform freezes or ends the process"
        )
    return tuple(warnings)


def _told_otherwise(platform: Platform | None) -> tuple[str, ...]:
    if platform is None:
        return ()
    return (
        f"runtime_mode='long_running' on {platform}: what runs between requests stops when the platform stops the process",
    )
