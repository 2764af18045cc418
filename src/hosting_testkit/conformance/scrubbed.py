"""An environment that does not tell a channel that it is being tested (conformance-kit 6.2)."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

_TELLTALES = ("PYTEST", "HOSTING_TESTKIT", "CONFORMANCE", "TOX_", "NOX_", "GITHUB_", "GITLAB_")
_NAMES = frozenset({"CI", "CONTINUOUS_INTEGRATION", "BUILD_ID", "TF_BUILD"})


@contextmanager
def scrubbed_environment() -> Generator[None]:
    """Takes the variables of test runners out of the environment, and puts them back in the end."""
    hidden = {name: value for name, value in os.environ.items() if _tells(name)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def _tells(name: str) -> bool:
    return name in _NAMES or name.startswith(_TELLTALES)
