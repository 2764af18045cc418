"""Where the process may go between requests, and what is refused there (contract 11.3)."""

from __future__ import annotations

from typing import Any

import pytest

from hosting import ChannelConfigurationError
from hosting.durable import RuntimeFacts, RuntimePlan, plan_runtime, platform_of

LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "bot"}
HTTP = {"responses": "http"}


def plan(mode: str = "auto", environ: dict[str, str] = LAMBDA, **facts: Any) -> RuntimePlan:
    return plan_runtime(mode, environ, RuntimeFacts(**{"transports": HTTP, **facts}))


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({}, None),
        ({"PATH": "/bin", "AWS_REGION": "eu-west-1", "WEBSITE_SITE_NAME": "an app service"}, None),
        ({"FOUNDRY_HOSTING_ENVIRONMENT": "prod"}, "Foundry"),
        ({"FOUNDRY_HOSTING_ENVIRONMENT": ""}, None),
        ({"FUNCTIONS_WORKER_RUNTIME": "python"}, "Azure Functions"),
        ({"FUNCTIONS_EXTENSION_VERSION": "~4"}, "Azure Functions"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "bot"}, "AWS Lambda"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}, "AWS Lambda"),
    ],
)
def test_a_platform_is_known_by_its_variables(environ: dict[str, str], platform: str | None) -> None:
    assert platform_of(environ) == platform


@pytest.mark.parametrize(
    ("mode", "environ", "found"),
    [
        ("auto", {}, "long_running"),
        ("auto", LAMBDA, "ephemeral (AWS Lambda)"),
        ("long_running", LAMBDA, "long_running (AWS Lambda)"),
        ("ephemeral", {}, "ephemeral"),
    ],
)
def test_the_mode_that_was_asked_for_wins_over_the_platform(
    mode: str, environ: dict[str, str], found: str
) -> None:
    assert plan(mode, environ).describe() == found


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(
        ChannelConfigurationError, match=r"host\.runtime_mode: found 'serverless', expected 'auto'"
    ):
        plan("serverless")


def test_a_long_running_host_runs_tasks_itself_unless_an_engine_does() -> None:
    assert plan(environ={}).in_process_runner
    assert plan(environ={}, runner="in_process").in_process_runner
    assert not plan(environ={}, runner="external").in_process_runner
    assert not plan(environ={}).turns_before_acknowledgement
    assert (
        plan(environ={}, transports={"bot": "polling"}, needs_runner=["bot"], local_disk=True).warnings == ()
    )


def test_a_long_running_host_on_a_platform_is_warned() -> None:
    (warning,) = plan("long_running").warnings
    assert "AWS Lambda" in warning


def test_the_runner_in_the_process_is_refused_where_the_process_goes() -> None:
    with pytest.raises(
        ChannelConfigurationError,
        match=r"host\.durable_task_runner: this process runs on AWS Lambda .* allow_in_process_runner=True",
    ):
        plan(runner="in_process")
    allowed = plan(runner="in_process", allow_in_process_runner=True)
    assert allowed.in_process_runner and allowed.turns_before_acknowledgement
    assert "stand still" in allowed.warnings[0]


def test_what_needs_tasks_is_refused_without_a_runner_and_the_rest_is_not() -> None:
    with pytest.raises(ChannelConfigurationError, match="channel telegram needs durable tasks"):
        plan(needs_runner=["channel telegram"])
    bare = plan()
    assert not bare.in_process_runner and bare.turns_before_acknowledgement and bare.warnings == ()


def test_with_an_engine_elsewhere_turns_run_after_the_acknowledgement() -> None:
    external = plan(runner="external", needs_runner=["channel telegram"])
    assert not external.in_process_runner and not external.turns_before_acknowledgement


@pytest.mark.parametrize("transport", ["polling", "gateway"])
def test_what_has_to_stay_connected_is_refused(transport: str) -> None:
    with pytest.raises(ChannelConfigurationError, match=rf"bot\.transport: .*{transport}"):
        plan(runner="external", transports={**HTTP, "bot": transport})


def test_a_store_on_the_local_disk_is_warned_of() -> None:
    (warning,) = plan(local_disk=True).warnings
    assert "local disk" in warning
