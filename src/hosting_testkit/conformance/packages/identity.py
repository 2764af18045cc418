"""Which installed package a channel comes in, and where its source is."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import (
    Distribution,
    EntryPoint,
    PackageNotFoundError,
    distributions,
    packages_distributions,
)
from pathlib import Path

CHANNELS = "hosting.channels"
CONFORMANCE = "hosting.conformance"
_REQUIREMENT = re.compile(r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^]]*)\])?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


class NoPackage(LookupError):
    """The source of a package cannot be found."""


@dataclass(frozen=True)
class ChannelPackage:
    """A distribution with the package that holds the channel.

    Args:
        distribution: The installed metadata.
        name: The import name.
        root: The package's folder.
    """

    distribution: Distribution
    name: str
    root: Path

    def entry_point(self, group: str) -> EntryPoint | None:
        """The first entry point in `group`, if it has one."""
        return next(iter(self.distribution.entry_points.select(group=group)), None)

    @cached_property
    def forbidden(self) -> frozenset[str]:
        """Import names that are installed here and that neither it nor what it needs declares."""
        declared = _closure(self.distribution)
        owners = _owners()
        return frozenset(top for top, names in owners.items() if top != self.name and not names & declared)


@cache
def distribution_of(module: str) -> Distribution | None:
    """The installed distribution that holds `module`, or None.

    Entry points name it even where an editable installation lists no files.
    """
    top = module.partition(".")[0]
    for distribution in distributions():
        groups = {point.group for point in distribution.entry_points if point.module.partition(".")[0] == top}
        if groups & {CHANNELS, CONFORMANCE}:
            return distribution
    names = packages_distributions().get(top, ())
    return Distribution.from_name(names[0]) if names else None


def package_of(distribution: Distribution) -> ChannelPackage:
    """The package of a distribution that holds its channel.

    Raises:
        NoPackage: Neither entry points nor files tell which that is, or it has no source.
    """
    names = list(dict.fromkeys(_import_names(distribution)))
    for name in names:
        spec = _spec(name, distribution)
        if spec is not None and spec.origin is not None:
            return ChannelPackage(distribution, name, Path(spec.origin).parent)
    raise NoPackage(
        f"found no source of {distribution.metadata['Name']!r} under {names or 'any name'}; "
        f"name the channel by an entry point in the group {CHANNELS!r}"
    )


def _import_names(distribution: Distribution) -> Iterator[str]:
    for group in (CHANNELS, CONFORMANCE):
        for point in distribution.entry_points.select(group=group):
            yield point.module.partition(".")[0]
    for file in distribution.files or ():
        if len(file.parts) > 1 and file.name == "__init__.py":
            yield file.parts[0]


def _spec(name: str, distribution: Distribution) -> ModuleSpec | None:
    beside = PathFinder.find_spec(name, [str(distribution.locate_file(""))])
    return beside or importlib.util.find_spec(name)


def _closure(distribution: Distribution) -> set[str]:
    """The names of everything that comes along when the distribution is installed, itself included."""
    found: set[str] = set()
    waiting: list[tuple[Distribution, frozenset[str]]] = [(distribution, frozenset())]
    while waiting:
        one, extras = waiting.pop()
        found.add(_normal(one.metadata["Name"]))
        for requirement in one.requires or ():
            needed = _needed(requirement, extras)
            if needed is None or needed[0] in found:
                continue
            try:
                waiting.append((Distribution.from_name(needed[0]), needed[1]))
            except PackageNotFoundError:  # not installed here, so nothing can come from it
                found.add(needed[0])
    return found


def _needed(requirement: str, extras: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    """Name and extras of a requirement; None if it belongs to an extra that nobody asked for."""
    text, _, marker = requirement.partition(";")
    wanted = set(_EXTRA.findall(marker))
    match = _REQUIREMENT.match(text)
    if match is None or (wanted and not wanted & extras):
        return None
    asked = frozenset(extra.strip() for extra in (match["extras"] or "").split(",") if extra.strip())
    return _normal(match["name"]), asked


@cache
def _owners() -> dict[str, set[str]]:
    """The distributions of every import name; editable ones are known by their entry points."""
    owners = {top: set(map(_normal, names)) for top, names in packages_distributions().items()}
    for distribution in distributions():
        for point in distribution.entry_points:
            top = point.module.partition(".")[0]
            owners.setdefault(top, set()).add(_normal(distribution.metadata["Name"]))
    return owners


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
