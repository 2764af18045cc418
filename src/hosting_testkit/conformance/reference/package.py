"""The package that a reference channel would come in: its own files, and nothing else of the kit."""

from __future__ import annotations

import ast
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from ..packages import PackageFiles, built

REQUIRES = (
    "agent-framework-core",
    "hosting",
    "httpx",
    "msgspec",
    "opentelemetry-api",
    "starlette",
    "typing-extensions",
)
"""What the reference channels import."""

_HERE = Path(__file__).parent


def reference_package(
    channel: type[Any], driver: type[Any], *, name: str, standard: type[Any]
) -> Distribution:
    """An installed package of the module of `channel`, or of the reference that it breaks, with what that imports.

    Args:
        channel: The channel's class.
        driver: The driver's class.
        name: The channel's default name.
        standard: The reference that stands for a class which is made of none.
    """
    kind, drives = _reference(channel) or standard, _reference(driver) or driver
    module = kind.__module__.rpartition(".")[2]
    package = f"kit_{name.replace('-', '_')}"
    return built(
        PackageFiles(
            name=package,
            modules={
                "__init__.py": f"from .{module} import {kind.__name__} as {kind.__name__}\n",
                "py.typed": "",
                "conformance.py": f"from {drives.__module__} import {drives.__name__} as driver\n",
                **_with_imports(module),
            },
            requires=REQUIRES,
            entry_points={
                "hosting.channels": f"{name} = {package}:{kind.__name__}",
                "hosting.conformance": f"{name} = {package}.conformance:driver",
            },
        )
    )


def _reference(kind: type[Any]) -> type[Any] | None:
    """The first of the references that a class is made of."""
    package = __name__.rpartition("package")[0]
    return next((base for base in kind.__mro__ if base.__module__.startswith(package)), None)


def _with_imports(module: str) -> dict[str, str]:
    """The texts of a module and of those beside it that it needs, by file name."""
    texts: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if f"{name}.py" not in texts:
            text = texts[f"{name}.py"] = (_HERE / f"{name}.py").read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and node.level == 1:
                    waiting += [node.module] if node.module else [alias.name for alias in node.names]
    return texts
