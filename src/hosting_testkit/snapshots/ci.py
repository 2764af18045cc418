"""Snapshots are looked at by a person before they change, so a CI job may not change them."""

from __future__ import annotations

import os

import pytest

REFUSAL = (
    "found a snapshot update with CI set, expected snapshots to change on a developer's machine only: "
    "run pytest --snapshot-update there, look at the difference, commit it (or unset CI)"
)


def in_ci() -> bool:
    """`CI` is set in the environment, to anything but `0` or `false`."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def refuse_update_in_ci(config: pytest.Config) -> None:
    """Ends a session that was started to update snapshots in CI, before anything has changed.

    Raises:
        pytest.exit.Exception: With the return code `pytest.ExitCode.USAGE_ERROR`.
    """
    updates = config.getoption("update_snapshots", False) or config.getoption(
        "update_new_snapshots_only", False
    )
    if updates and in_ci():
        # At its end an update deletes what no test has used: by then all snapshots of a session that was cut off.
        config.option.no_cleanup = True
        pytest.exit(REFUSAL, returncode=pytest.ExitCode.USAGE_ERROR)
