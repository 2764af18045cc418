"""`doctor`: looks at the environment and at a driver, and says what to mend. It runs no rule."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from ..conformance.discovery import GROUP, UnknownChannel, find_drivers
from ..conformance.guard import no_network
from ..conformance.kit import DriverFactory, Kit
from ..conformance.levels import UnknownLevel, newest_for
from ..conformance.model import Unproven
from ..conformance.report.environment import Environment
from ..drivers.base import ChannelDriver
from ..drivers.capabilities import PROFILES

if TYPE_CHECKING:
    from .usage import Commands

_OLDEST_PYTHON = (3, 11)
_HOOKS = {
    "events": ("non_turns",),
    "signature": ("tampered",),
    "jwt": ("forged",),
    "cancel": ("cancel",),
    "background": ("token", "retrieve", "standing", "withdraw"),
    "retrieve": ("token", "retrieve", "standing"),
    "resume": ("token", "resume", "sequence"),
    "approvals": ("requests", "answer"),
    "sequence_numbers": ("sequence",),
    "client_state": ("client_state",),
    "outbound": ("platform",),
    "polling": ("platform",),
    "websocket": ("websocket",),
}
"""Hooks of a driver that rules of a capability ask for."""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("doctor", help="say what is missing in an environment and a driver")
    parser.add_argument("channels", nargs="*", metavar="NAME", help="channel, module:factory or all")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    sys.path.insert(0, "")
    problems = [*_environment()]
    for name in arguments.channels:
        try:
            for address, factory in find_drivers(name).items():
                found = [*examine(factory()), *_made(factory)]
                problems += [f"{address}: {problem}" for problem in found]
        except UnknownChannel as error:
            problems.append(str(error))
    for problem in problems:
        print(f"mend   {problem}")
    print(f"{len(problems)} things to mend" if problems else "nothing to mend")
    return 1 if problems else 0


def examine(driver: ChannelDriver) -> Iterator[str]:
    """What is missing in a driver, each with the way to mend it."""
    claims = dict(driver.capabilities.items())
    if undeclared := [name for name, claim in claims.items() if claim.state == "unknown"]:
        yield (
            f"capabilities that are not declared: {', '.join(undeclared)}; say SUPPORTED, "
            "NOT_IMPLEMENTED(reason) or IMPOSSIBLE(reason)"
        )
    if silent := [name for name, claim in claims.items() if claim.absent and not claim.reason]:
        yield f"no reason is given for {', '.join(silent)}"
    if lacking := [name for name in PROFILES[driver.profile] if not claims[name].runs]:
        yield f"profile {driver.profile!r} requires {', '.join(lacking)}; declare them or claim another profile"
    if claims["auth"].runs and not {"missing", "wrong"} <= set(driver.bad_credentials):
        yield "bad_credentials has to hold 'missing' and 'wrong' at least, since auth is supported"
    for name, hooks in _HOOKS.items():
        missing = [hook for hook in hooks if claims[name].runs and not _has(driver, hook)]
        if missing:
            yield f"{name} is supported and {', '.join(missing)} is not written"
    if not _has(driver, "misconfigured"):
        yield "misconfigured(env) is not written: in which ways can the channel be built wrongly?"
    if not driver.contract:
        yield "contract is not set; say which levels the channel supports, such as '>=2026.1,<2027'"
    else:
        yield from _level(driver.contract)
    if not driver.capabilities.variants:
        yield "no transport is supported, so no rule can run"


def _made(factory: DriverFactory) -> Iterator[str]:
    """Whether the driver makes its channel at all."""
    kit = Kit(factory, next(iter(factory().capabilities.variants), "http"))
    try:
        with no_network():
            kit.build(kit.driver())
    except Unproven as error:
        yield str(error)


def _level(supported: str) -> Iterator[str]:
    try:
        newest_for(supported)
    except UnknownLevel as error:
        yield str(error)


def _has(driver: ChannelDriver, hook: str) -> bool:
    """Whether a driver has a hook of its own, and no stub."""
    own, base = getattr(type(driver), hook, None), getattr(ChannelDriver, hook, None)
    return own is not None and own is not base and not inspect.isabstract(own)


def _environment() -> Iterator[str]:
    here = Environment.here()
    print(f"python {here.python}, kit {here.kit}")
    print(", ".join(f"{name} {number}" for name, number in here.dependencies.items()))
    points = sorted(point.name for point in entry_points(group=GROUP))
    print(f"channels with a driver: {', '.join(points) or 'none'}")
    plugins = sorted(
        {f"{point.dist.name} {point.dist.version}" for point in entry_points(group="pytest11") if point.dist}
    )
    print(f"pytest plugins: {', '.join(plugins) or 'none'}")
    if sys.version_info < _OLDEST_PYTHON:
        yield f"Python {here.python}: expected 3.11 or newer"
    if "pytest" not in here.dependencies:
        yield "pytest is not installed: `check` works, `pytest --conformance` does not"
    elif int(here.dependencies["pytest"].partition(".")[0]) < 9:
        yield f"pytest {here.dependencies['pytest']}: expected 9 or newer"
    if points and not any(plugin.startswith("hosting ") for plugin in plugins):
        yield "the pytest plugin is not registered; install hosting anew with its testkit extra"
