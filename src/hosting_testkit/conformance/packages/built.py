"""Makes an installed package of a few texts, in a folder that goes away with the process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFiles:
    """A package as data.

    Args:
        name: Its import name; the distribution is called the same.
        modules: Texts of its files by their paths inside the package; `py.typed` is one of them.
        requires: The distributions that it declares.
        entry_points: Values by group, `name = module:attribute`.
    """

    name: str
    modules: Mapping[str, str]
    requires: Sequence[str] = ()
    entry_points: Mapping[str, str] = field(default_factory=dict[str, str])


def built(files: PackageFiles) -> Distribution:
    """The distribution of a package, written to a temporary folder once."""
    return _built(
        files.name, tuple(files.modules.items()), tuple(files.requires), tuple(files.entry_points.items())
    )


@cache
def _built(
    name: str,
    modules: tuple[tuple[str, str], ...],
    requires: tuple[str, ...],
    entry_points: tuple[tuple[str, str], ...],
) -> Distribution:
    folder = Path(tempfile.mkdtemp(prefix="conformance-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for path, text in modules:
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}", "utf-8"
    )
    groups = "".join(f"[{group}]\n{value}\n" for group, value in entry_points)
    (metadata / "entry_points.txt").write_text(groups, "utf-8")
    return Distribution.at(metadata)
