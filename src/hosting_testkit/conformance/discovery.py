"""From a name on a command line to a driver: entry points, or `module:factory`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from ..drivers.base import ChannelDriver
from .kit import DriverFactory

GROUP = "hosting.conformance"
"""Entry points of channel packages: name of the channel to its driver (contract 2.6)."""


class UnknownChannel(LookupError):
    """No driver answers to this name; the text lists those that do."""


def find_drivers(name: str) -> Mapping[str, DriverFactory]:
    """The drivers that `name` means, by the name that finds each: an entry point, `module:factory`, or `all` of them.

    Raises:
        UnknownChannel: There is none, or it cannot be imported, or it makes no driver.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name == "all":
        if not points:
            raise UnknownChannel(f"no installed package has an entry point in the group {GROUP!r}")
        return {key: _load(points[key]) for key in sorted(points)}
    if name in points:
        return {name: _load(points[name])}
    if ":" in name:
        return {name: _load(EntryPoint(name=name, value=name, group=GROUP))}
    known = ", ".join(sorted(points)) or "none are installed"
    raise UnknownChannel(f"no channel {name!r}; known: {known}. A driver of your own is named module:factory")


def _load(point: EntryPoint) -> DriverFactory:
    try:
        import_module(point.module)
        factory: DriverFactory = point.load()
        driver = factory()
    except Exception as error:
        raise UnknownChannel(
            f"driver {point.value!r} cannot be made: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(driver, ChannelDriver):  # pyright: ignore[reportUnnecessaryIsInstance] - a stranger's factory
        raise UnknownChannel(f"{point.value!r} made a {type(driver).__name__}, expected a ChannelDriver")
    return factory
