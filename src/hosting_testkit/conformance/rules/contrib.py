"""HC-CONTRIB: what building an application does, and what it refuses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from hosting import AgentFrameworkHost, Channel, ChannelConfigurationError, ChannelContribution

from ...targets.echo import Echo
from ..guard import no_network
from ..kit import Kit
from ..model import Unproven
from ..observe import observe_contributions
from ..registry import rule


@rule("HC-CONTRIB-001", once=True, why="building must work at import, in tools and without a network")
async def building_has_no_effects(k: Kit) -> None:
    """The application is built in a thread without a loop, and nothing but objects comes of it."""
    channel = k.build(k.driver())
    contributions: list[ChannelContribution] = []
    observe_contributions(channel, k.log, contributions)
    threads = set(threading.enumerate())
    with no_network() as effects:
        error = await asyncio.to_thread(_build, channel)
    started = [
        thread.name
        for thread in set(threading.enumerate()) - threads
        if not thread.name.startswith("asyncio_")  # the thread that this rule built in
    ]
    k.equal("error of building without a running loop", error, None)
    k.equal("input and output while building", [e for e in effects if ".pyc" not in e], [])
    k.equal("threads left running", started, [])
    k.equal("calls of contribute()", len(contributions), 1)


def _build(channel: Channel) -> str | None:
    try:
        host = AgentFrameworkHost(Echo(), channels=[channel])
        _ = host.app, host.app
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@rule(
    "HC-CONTRIB-004",
    once=True,
    why="a missing secret must be found before the first message, and never printed",
)
async def bad_options_are_refused(k: Kit) -> None:
    """Each wrong configuration is refused by name, and the text holds no secret."""
    driver = k.driver()
    wrong = driver.misconfigured(driver.env)
    if not wrong:
        raise Unproven("the driver gives no misconfigured(env): name one option that can be wrong")
    taken = _build(k.build(driver))
    k.control(taken is None, "the right configuration is taken", observed=taken)
    for number, (field, make) in enumerate(wrong, 1):
        name, error = f"wrong configuration {number}, of {field!r}", _error_of(make)
        refused = isinstance(error, ChannelConfigurationError)
        seen = "accepted" if error is None else type(error).__name__
        k.check(f"{name}: it is refused", refused, expected="ChannelConfigurationError", observed=seen)
        if isinstance(error, ChannelConfigurationError):
            k.equal(
                f"{name}: the error names channel and field",
                (error.channel, error.field),
                (driver.name, field),
            )
        printed = [secret for secret, value in driver.env.secrets.items() if value in str(error)]
        k.equal(f"{name}: secrets printed in the error", printed, [])


def _error_of(make: Callable[[], Channel]) -> Exception | None:
    """What building an application with the channel raises."""
    try:
        _ = AgentFrameworkHost(Echo(), channels=[make()]).app
    except Exception as error:
        return error
    return None
