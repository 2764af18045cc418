"""What the pytest options answer without a run."""

from __future__ import annotations

from typing import Any

import pytest

from .explain import explain
from .levels import FrozenDiffers, UnknownLevel, check_frozen, newest_for
from .registry import UnknownRule


def answer(config: pytest.Config) -> int | None:
    """The exit code, or None if there is a run after all.

    Raises:
        pytest.UsageError: The rule, the level or its hash is not what it should be.
    """
    options: Any = config.option
    try:
        if options.conformance_explain:
            print(explain(options.conformance_explain))  # noqa: T201 - what was asked for
            return int(pytest.ExitCode.OK)
        name = options.conformance_level or config.getini("conformance_level") or newest_for("")
        print(f"level {name}: {check_frozen(name)}")  # noqa: T201
    except (UnknownRule, UnknownLevel, FrozenDiffers) as error:
        raise pytest.UsageError(str(error)) from error
    named = options.conformance or config.getini("conformance")
    return None if named else int(pytest.ExitCode.OK)
