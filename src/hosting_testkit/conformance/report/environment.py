"""Where a run took place: versions that a reader needs to believe or to repeat it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

_DEPENDENCIES = (
    "agent-framework-core",
    "anyio",
    "httpx",
    "httpx2",
    "msgspec",
    "opentelemetry-api",
    "pydantic",
    "pytest",
    "starlette",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Versions.

    Args:
        kit: Of this kit.
        python: Of the interpreter.
        dependencies: Of what host and kit stand on, where installed.
    """

    kit: str
    python: str
    dependencies: Mapping[str, str]

    @classmethod
    def here(cls) -> Environment:
        """The ones of this process."""
        found = {name: _version(name) for name in _DEPENDENCIES}
        return cls(
            kit=_version("hosting") or "not installed",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            dependencies={name: number for name, number in found.items() if number},
        )


@cache
def package_of(module: str) -> tuple[str, str]:
    """Name and version of the installed package that a module comes from; "" where it is not installed."""
    top = module.partition(".")[0]
    names = packages_distributions().get(top, [])
    return (names[0], _version(names[0])) if names else ("", "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
