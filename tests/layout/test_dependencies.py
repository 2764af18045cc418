"""What a package imports it declares, and what it declares is pinned with a hash and without an address."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.layout.source_tree import REPOSITORY, imports, source_roots

PINS = "constraints.txt"
OURS = {"hosting": "hosting", "hosting_testkit": "hosting"}
"""Import names to the distribution of this repository that holds them; it is installed from here, so never pinned."""


def loose_pins(root: Path) -> Iterator[str]:
    text = (root / PINS).read_text()
    for number, line in enumerate(text.splitlines(), 1):
        if "://" in line or line.startswith("-"):
            yield f"{PINS}:{number}: an address or option; only pins and hashes belong here"
    for entry in re.split(r"\n(?=\S)", text):
        if not entry.startswith(("#", "-")) and not re.match(r"\S+==\S+.* \\\n +--hash=sha256:", entry):
            yield f"{PINS}: {entry.splitlines()[0]!r} is not pinned with a hash"


def unpinned_dependencies(root: Path) -> Iterator[str]:
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (root / PINS).read_text(), re.MULTILINE))
    for path in [root / "pyproject.toml", *sorted(root.glob("channels/*/pyproject.toml"))]:
        project = tomllib.loads(path.read_text())
        for requirement in [*map(Requirement, project["build-system"]["requires"]), *_requirements(project)]:
            name = canonicalize_name(requirement.name)
            met = name in pinned and requirement.specifier.contains(pinned[name], prereleases=True)
            if not met and name not in OURS.values():
                yield f"{path.relative_to(root)}: {requirement} is not met by {PINS}; run `make lock`"


def undeclared_imports(root: Path) -> Iterator[str]:
    providers = packages_distributions()
    for source_root in source_roots(root):
        project = source_root.parent / "pyproject.toml"
        declared = {
            canonicalize_name(needed.name) for needed in _requirements(tomllib.loads(project.read_text()))
        }
        own = {path.name for path in source_root.iterdir()}
        for found in imports(root, source_root):
            top = found.module.split(".")[0]
            if top in own or top in sys.stdlib_module_names:
                continue
            if declared.isdisjoint(map(canonicalize_name, [OURS.get(top, top), *providers.get(top, [])])):
                yield f"{found.where}: {top} is not among the dependencies of {project.relative_to(root)}"


def _requirements(project: dict[str, Any]) -> Iterator[Requirement]:
    extras = project["project"].get("optional-dependencies", {}).values()
    for declared in (project["project"].get("dependencies", []), *extras):
        yield from map(Requirement, declared)


PROJECT = (
    "[build-system]\nrequires = ['hatchling']\n[project]\nname = 'sample'\ndependencies = ['attrs>=2']\n"
)
HASHED = " \\\n    --hash=sha256:0f\n"
RULES = {
    loose_pins: [
        (PINS, f"attrs==2.1{HASHED}idna>=3{HASHED}"),
        (PINS, "attrs==2.1\n"),
        (PINS, f"--find-links wheels\nattrs==2.1{HASHED}"),
    ],
    unpinned_dependencies: [
        (PINS, f"hatchling==1.0{HASHED}"),
        (PINS, f"hatchling==1.0{HASHED}attrs==1.9{HASHED}"),
        ("channels/a/pyproject.toml", PROJECT.replace("hatchling", "setuptools")),
    ],
    undeclared_imports: [
        ("src/sample/client.py", "import httpx"),
        ("src/sample/client.py", "def late():\n    from yaml.nodes import Node"),
        ("src/sample/client.py", "from hosting_testkit.clock import VirtualClock"),
    ],
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
    (tmp_path / "src/sample").mkdir(parents=True)
    (tmp_path / "src/sample/model.py").write_text("import json\nimport attrs\nfrom . import model\n")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / PINS).write_text(f"# made by a tool\nattrs==2.1{HASHED}hatchling==1.0{HASHED}")
    assert list(rule(tmp_path)) == []

    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)

    assert len(list(rule(tmp_path))) == 1
