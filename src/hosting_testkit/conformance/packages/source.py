"""What the source of a package imports when it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def run_time_imports(root: Path, *, without: str = "") -> Iterator[tuple[str, str]]:
    """File and imported module for every absolute import, those inside functions among them.

    What stands under `if TYPE_CHECKING` never runs and is left out.

    Args:
        root: The package's folder.
        without: A module of the package, by its dotted path below the package, that does not belong to the run time.
    """
    for file in sorted(root.rglob("*.py")):
        below = file.relative_to(root)
        dotted = ".".join((*below.parts[:-1], *([] if below.stem == "__init__" else [below.stem])))
        if without and (dotted == without or dotted.startswith(f"{without}.")):
            continue
        for module in _imports(ast.parse(file.read_text(encoding="utf-8"))):
            yield below.as_posix(), module


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        for otherwise in node.orelse:
            yield from _imports(otherwise)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"
