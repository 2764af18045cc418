"""Reads source files for the layout tests: which there are, what they import, without importing them.

Each rule is a function of a root folder that gives one line per offence, so that the same function judges this
repository and the counter-example beside it.
"""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

_MADE_BY_TOOLS = {"__pycache__", "node_modules", "dist", "build"}


@dataclass(frozen=True)
class Import:
    """One imported module.

    Args:
        importer: Dotted name of the module that holds the statement.
        module: Dotted name of what it imports; for `from package import module` the module, where it is a file.
        name: What `from module import name` takes; empty where the module itself is imported.
        where: `path:line` for the reader.
    """

    importer: str
    module: str
    name: str
    where: str


def files(root: Path) -> Iterator[Path]:
    """Every file below `root` that people wrote; hidden folders are left out, all but `.ci`."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in _MADE_BY_TOOLS and (name == ".ci" or not name.startswith("."))
        )
        yield from (Path(folder, name) for name in sorted(names) if not name.endswith(".pyc"))


def source_roots(root: Path) -> list[Path]:
    """The folders that are put on the import path: `src` and each channel's own."""
    return [path for path in [root / "src", *sorted(root.glob("channels/*/src"))] if path.is_dir()]


def modules(source_root: Path) -> dict[str, Path]:
    """Dotted module name to file, for all Python files below `source_root`."""
    found: dict[str, Path] = {}
    for path in files(source_root):
        if path.suffix == ".py":
            parts = path.relative_to(source_root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path, source_root: Path) -> Iterator[Import]:
    """All imports below `source_root`, those inside functions and `TYPE_CHECKING` included, made absolute."""
    known = modules(source_root)
    for importer, path in known.items():
        package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(), path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                where = f"{path.relative_to(root)}:{node.lineno}"
                for module, name in _imported(node, package, known):
                    yield Import(importer, module, name, where)


def _imported(
    node: ast.Import | ast.ImportFrom, package: str, known: dict[str, Path]
) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        ancestors = package.split(".")
        base = ".".join([*ancestors[: len(ancestors) - node.level + 1], *filter(None, [base])])
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield (inner, "") if inner in known else (base, alias.name)


def exports(module: Path) -> list[str] | None:
    """What the module's `__all__` lists, or None where it has none."""
    for node in ast.parse(module.read_text(), module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return None
