"""What every package of this repository owes its reader: a typed, sorted face, telling names, files of one idea."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layout.source_tree import REPOSITORY, exports, files, source_roots

LONGEST_FILE = 400
VAGUE_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def packages_without_type_marker(root: Path) -> Iterator[str]:
    for source_root in source_roots(root):
        for package in sorted(source_root.iterdir()):
            if any(package.glob("*.py")) and not (package / "py.typed").exists():
                yield f"{package.relative_to(root)}: py.typed is missing"


def packages_without_a_sorted_face(root: Path) -> Iterator[str]:
    for init, where in _inits(root):
        names = exports(init)
        if names is None:
            if init.parent.parent in source_roots(root) or _imports_anything(init):
                yield f"{where}: __all__ is missing"
        elif names != sorted(set(names), key=_reading_order):
            yield f"{where}: __all__ is not sorted: constants, classes, functions, each by name"


def packages_that_do_more_than_export(root: Path) -> Iterator[str]:
    for init, where in _inits(root):
        for node in ast.parse(init.read_text(), init).body:
            if not _belongs_in_an_init(node):
                yield f"{where}:{node.lineno}: only imports, __all__ and constants belong here; give this a module"


def packages_among_tests(root: Path) -> Iterator[str]:
    for path in files(root):
        folders = path.relative_to(root).parts[:-1]
        if path.name == "__init__.py" and "tests" in folders and "src" not in folders:
            yield f"{path.relative_to(root)}: remove it; two channels' `tests` packages would hide each other"


def vague_module_names(root: Path) -> Iterator[str]:
    for path in files(root):
        if path.suffix == ".py":
            parts = path.relative_to(root).with_suffix("").parts
            for name in parts:
                if name.strip("_") in VAGUE_NAMES or name.rpartition("_")[2] in VAGUE_NAMES:
                    yield f"{path.relative_to(root)}: {name!r} does not say what is in it"


def overlong_files(root: Path) -> Iterator[str]:
    for source_root in source_roots(root):
        for path in files(source_root):
            lines = path.read_text().count("\n") if path.suffix == ".py" else 0
            if lines > LONGEST_FILE:
                yield f"{path.relative_to(root)}: {lines} lines, more than {LONGEST_FILE}; it holds two ideas"


def _inits(root: Path) -> Iterator[tuple[Path, Path]]:
    for source_root in source_roots(root):
        for path in files(source_root):
            inside = path.relative_to(source_root).parts[:-1]
            if path.name == "__init__.py" and not any(part.startswith("_") for part in inside):
                yield path, path.relative_to(root)


def _imports_anything(module: Path) -> bool:
    body = ast.parse(module.read_text(), module).body
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def _belongs_in_an_init(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        name = ast.unparse(node.targets[0])
        return name.isupper() or name in {"__all__", "__version__"}
    lazy_export = isinstance(node, ast.FunctionDef) and node.name == "__getattr__"
    for_checkers = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return lazy_export or for_checkers or isinstance(node, ast.Import | ast.ImportFrom)


def _reading_order(name: str) -> tuple[bool, bool, str]:
    """The order that the linter sorts by: CONSTANTS, Classes, functions."""
    return (not name.isupper(), not name[:1].isupper(), name)


RULES = {
    packages_without_type_marker: [("src/untyped/__init__.py", "__all__ = []")],
    packages_without_a_sorted_face: [
        ("src/faceless/__init__.py", '"""No face."""'),
        ("src/sample/inner/__init__.py", "from .module import name"),
        ("src/sample/inner/__init__.py", '__all__ = ["b", "a"]'),
        ("src/sample/inner/__init__.py", '__all__ = ["a", "a"]'),
        ("src/sample/inner/__init__.py", '__all__ = ["function", "Class"]'),
    ],
    packages_that_do_more_than_export: [
        ("src/sample/inner/__init__.py", "def work(): ..."),
        ("channels/a/src/hosting_a/__init__.py", "registry = {}"),
    ],
    packages_among_tests: [
        ("tests/__init__.py", ""),
        ("channels/a/tests/codec/__init__.py", ""),
    ],
    vague_module_names: [
        ("src/sample/utils.py", ""),
        ("src/sample/session_manager.py", ""),
        ("channels/a/src/hosting_a/helpers/text.py", ""),
        ("tests/_helpers.py", ""),
    ],
    overlong_files: [("src/sample/long.py", "pass\n" * (LONGEST_FILE + 1))],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_this_repository_has_no(rule):
    offences = list(rule(REPOSITORY))

    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        pytest.param(rule, *example, id=f"{rule.__name__}-{n}")
        for rule in RULES
        for n, example in enumerate(RULES[rule])
    ],
)
def test_an_offence_is_found(rule, path, text, tmp_path):
    sample = tmp_path / "src/sample"
    sample.mkdir(parents=True)
    (sample / "py.typed").touch()
    (sample / "__init__.py").write_text('"""Sample."""\n\n__all__ = ["LIMIT", "Thing", "make"]\n')
    assert list(rule(tmp_path)) == []

    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    offences = list(rule(tmp_path))

    assert len(offences) == 1
    assert str(Path(path).parts[-2]) in offences[0]
