"""Packages that are not what they say. Each is the reference's, written out, with one thing changed."""

from __future__ import annotations

from importlib.metadata import Distribution
from typing import Any

from hosting import ChannelContext, ChannelContribution

from ..packages import PackageFiles, built
from ..reference import RpcChannel, RpcDriver
from .model import mutant

_CHANNEL = """
from hosting import ChannelContribution
{imports}

class TinyChannel:
    def __init__(self, name="rpc", path="/rpc"):
        self.name, self.path = name, path

    def contribute(self, context, /):
        {body}
        return ChannelContribution()
"""
_DRIVER = "from hosting_testkit.conformance.reference import RpcDriver as driver\n"


def tiny(
    *,
    imports: str = "",
    body: str = "pass",
    typed: bool = True,
    channel: str = "kit_tiny:TinyChannel",
    name: str = "rpc",
    driver: bool = True,
) -> Distribution:
    """A package of one channel.

    Args:
        imports: Lines at its top.
        body: A line inside `contribute`.
        typed: `py.typed` is shipped.
        channel: Value of the entry point in `hosting.channels`.
        name: Name of both entry points.
        driver: There is an entry point for the driver.
    """
    modules = {"__init__.py": _CHANNEL.format(imports=imports, body=body), "conformance.py": _DRIVER}
    points = {"hosting.channels": f"{name} = {channel}"}
    if driver:
        points["hosting.conformance"] = f"{name} = kit_tiny.conformance:driver"
    return built(
        PackageFiles(
            name="kit_tiny",
            modules={**modules, "py.typed": ""} if typed else modules,
            requires=["hosting"],
            entry_points=points,
        )
    )


@mutant("undeclared-dep", kills={"HC-PKG-001": "No module named 'pytest', which is not declared"})
class UndeclaredDependency(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(imports="import pytest")


@mutant("no-py-typed", kills={"HC-PKG-002": "py.typed in the package: FAILED"})
class NoMarker(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(typed=False)


@mutant(
    "bad-signature", kills={"HC-PKG-002": "contribute() called as the protocol says: FAILED"}, answers=False
)
class BadSignature(RpcChannel):
    def contribute(self, context: ChannelContext, app: Any, /) -> ChannelContribution:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().contribute(context)


@mutant(
    "no-path",
    defect="keeps the path that it was given to itself",
    kills={"HC-PKG-002": "isinstance(channel, Channel): FAILED"},
    answers=False,
)
class NoPath(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        del self.path


@mutant(
    "no-driver-entry-point",
    defect="ships its driver without an entry point",
    kills={"HC-PKG-003": "entry point in hosting.conformance: FAILED"},
)
class NoDriverEntryPoint(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(driver=False)


@mutant("wrong-entry-point", kills={"HC-PKG-003": "has no attribute 'TinyChanel'"})
class WrongEntryPoint(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(channel="kit_tiny:TinyChanel")


@mutant(
    "misnamed-entry-point",
    defect="goes by one name in its entry points and by another in the host",
    kills={"HC-PKG-003": "default name of kit_tiny:TinyChannel, beside its entry point's: FAILED"},
)
class MisnamedEntryPoint(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(name="remote-calls")


@mutant("imports-testkit", kills={"HC-PKG-004": "__init__.py imports hosting_testkit.targets"})
class ImportsTestkit(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(body="from hosting_testkit.targets import Echo")


@mutant("no-level", kills={"HC-PKG-005": "declared levels: FAILED"})
class NoLevel(RpcDriver):
    contract = ""


@mutant(
    "other-level",
    defect="declares levels that the host's is not among",
    kills={"HC-PKG-005": "contract of the newest declared level: FAILED"},
)
class OtherLevel(RpcDriver):
    contract = ">=2024.1,<2025"


@mutant("import-side-effect", kills={"HC-CONTRIB-006": "adds a handler to the logger 'root'"})
class ImportSideEffect(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(imports="import logging\nlogging.basicConfig(level=logging.INFO)")


@mutant(
    "reads-credentials",
    defect="reads a credential from the environment at import",
    kills={"HC-CONTRIB-006": "reads KIT_BOT_TOKEN from the environment"},
)
class ReadsCredentials(RpcDriver):
    def distribution(self) -> Distribution:
        return tiny(imports="import os\nTOKEN = os.environ.get('KIT_BOT_TOKEN')")


@mutant(
    "sets-policy",
    defect="sets the policy of event loops at import",
    kills={"HC-CONTRIB-006": "sets the event loop policy to Own"},
)
class SetsPolicy(RpcDriver):
    def distribution(self) -> Distribution:
        policy = "class Own(asyncio.DefaultEventLoopPolicy):\n    pass"
        return tiny(imports=f"import asyncio\n{policy}\nasyncio.set_event_loop_policy(Own())")
