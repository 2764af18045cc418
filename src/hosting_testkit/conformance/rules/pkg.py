"""HC-PKG: the package that a channel comes in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from hosting import CONTRACT, Channel, ChannelIngress, ChannelPush

from ..hosted import ask_driver
from ..kit import Kit
from ..levels import UnknownLevel, newest_for, read_level
from ..model import Unproven
from ..packages import ChannelPackage, Examination, NoPackage, examine, package_of, run_time_imports
from ..packages.examination import ExaminationFailed
from ..packages.identity import CHANNELS, CONFORMANCE
from ..registry import rule

_TEST_ONLY = ("pytest", "_pytest", "hosting_testkit")


@rule("HC-PKG-001", once=True, why="an app that installs the channel gets what it declares and nothing else")
async def declared_dependencies_are_enough(k: Kit) -> None:
    """In a Python that has only what the package declares, it can be imported."""
    package = _package(k)
    seen = examined(package)
    k.equal("error of importing the package with what it declares", seen.error, "")


@rule("HC-PKG-002", once=True, why="without types an app's own checks stop at the channel")
async def it_is_typed(k: Kit) -> None:
    """The marker is shipped, and the channel has the protocol's methods with the protocol's parameters."""
    package = _package(k)
    marker = package.root / "py.typed"
    k.check("py.typed in the package", marker.is_file(), expected="the marker", observed="none")
    built = k.build(k.driver())
    kind, channel = type(built), cast("Any", built)
    k.check("isinstance(channel, Channel)", isinstance(channel, Channel), observed=type(channel).__name__)
    for protocol, method, arguments in _METHODS:
        if isinstance(channel, protocol):
            named = {"context": None} if method == "push" else {}
            error = _refusal(getattr(kind, method), (channel, *arguments), named)
            k.equal(f"{method}() called as the protocol says", error, "")


_METHODS: tuple[tuple[Any, str, tuple[None, ...]], ...] = (
    (Channel, "contribute", (None,)),
    (ChannelIngress, "process", (None,)),
    (ChannelPush, "push", (None, None)),
)


def _refusal(method: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    """Why a method cannot be called so, or what of it has no type; "" if all is well."""
    signature = inspect.signature(method)
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        return str(error)
    bare = [
        name
        for name, parameter in list(signature.parameters.items())[1:]
        if parameter.annotation is parameter.empty
    ]
    return f"no type for {', '.join(bare)}" if bare else ""


@rule("HC-PKG-003", once=True, why="the host finds a channel, and the kit its driver, by entry points")
async def entry_points_resolve(k: Kit) -> None:
    """Both lead somewhere, under the name that the channel has by default."""
    package = _package(k)
    seen = examined(package)
    for group in (CHANNELS, CONFORMANCE):
        point = package.entry_point(group)
        k.check(f"entry point in {group}", point is not None, expected="one", observed="none")
        if point is None:
            continue
        loaded = seen.points[group]
        if k.equal(f"error of loading {point.value} from {group}", loaded.error, "") and loaded.default_name:
            k.equal(
                f"default name of {point.value}, beside its entry point's", loaded.default_name, point.name
            )


@rule("HC-PKG-004", once=True, why="a production image has no test tools")
async def no_test_tools_at_run_time(k: Kit) -> None:
    """No module but the driver's imports pytest or the testkit, not even inside a function."""
    package = _package(k)
    point = package.entry_point(CONFORMANCE)
    driver = point.module.removeprefix(package.name).removeprefix(".") if point else "conformance"
    found = list(run_time_imports(package.root, without=driver))
    k.control(bool(found), "the package's source imports something", observed=package.name)
    tools = [f"{file} imports {module}" for file, module in found if module.partition(".")[0] in _TEST_ONLY]
    k.equal("imports of test tools in run-time code", tools, [])


@rule("HC-PKG-005", once=True, why="whoever upgrades the host must know whether the channel comes along")
async def levels_are_declared(k: Kit) -> None:
    """The driver names the levels of the contract, and the contract of this host is among them."""
    supported = k.driver().contract
    if not k.check(
        "declared levels", bool(supported), expected="contract = '>=2026.1,<2027'", observed=supported
    ):
        return
    try:
        contract = read_level(newest_for(supported)).contract
    except UnknownLevel as error:
        contract = str(error)
    k.equal("contract of the newest declared level", contract, CONTRACT)


def examined(package: ChannelPackage) -> Examination:
    """What importing the package and loading its entry points does.

    Raises:
        Unproven: It could not be tried.
    """
    points = {
        group: point.value for group in (CHANNELS, CONFORMANCE) if (point := package.entry_point(group))
    }
    channel = package.entry_point(CHANNELS)
    modules = [package.name] if channel is None else [package.name, channel.module]
    try:
        return examine(
            modules,
            root=package.root,
            path=[str(package.root.parent)],
            forbidden=package.forbidden,
            points=points,
        )
    except ExaminationFailed as error:
        raise Unproven(str(error)) from error


def _package(k: Kit) -> ChannelPackage:
    driver = k.driver()
    distribution = ask_driver(driver.distribution, "distribution()")
    if distribution is None:
        raise Unproven(
            "the channel is in no installed package: install the one that it comes in (`pip install -e .`), or give "
            f"{type(driver).__name__} a distribution() that finds it"
        )
    try:
        return package_of(distribution)
    except NoPackage as error:
        raise Unproven(str(error)) from error
