"""HC-CONTRIB: what a channel is and gives, seen as an object."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from hosting import Channel, ChannelCommand, ChannelContribution

from ...targets.echo import Echo
from ..kit import Kit
from ..model import Failed, Unproven
from ..registry import rule

_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_TYPES: Mapping[str, type[Any]] = {
    "routes": BaseRoute,
    "root_routes": BaseRoute,
    "middleware": Middleware,
    "commands": ChannelCommand,
}
_CALLBACKS = ("on_startup", "on_shutdown")


@rule("HC-CONTRIB-002", once=True, why="a wrong contribution shows at the first request, in production")
async def contributions_have_their_types(k: Kit) -> None:
    """All parts are what they should be, callbacks can be awaited, and two channels share no list."""
    first, second = await _contribution(k), await _contribution(k)
    if first is None or second is None:
        return
    for field, kind in _TYPES.items():
        wrong = [type(one).__name__ for one in getattr(first, field) if not isinstance(one, kind)]
        k.equal(f"parts of {field} that are no {kind.__name__}", wrong, [])
    for field in (*_TYPES, *_CALLBACKS):
        mine, other = getattr(first, field), getattr(second, field)
        k.equal(f"number of {field} of a first and of a second channel", len(other), len(mine))
        shared = mine is other and not isinstance(mine, tuple)
        k.check(f"{field} of two channels", not shared, expected="two lists", observed="one list")


async def _contribution(k: Kit) -> ChannelContribution | None:
    """What a fresh channel contributes; it is started and stopped, to await its callbacks."""
    begun = k.log.count("shutdown.begin")
    ended = k.log.count("shutdown.end")
    contribution, failed = None, ""
    try:
        async with k.host(Echo()) as h:
            (contribution,) = h.contributions
    except Failed as failure:
        failed = str(failure)
    k.check("the startup callbacks can be awaited", not failed, expected="a start", observed=failed)
    raised = (k.log.count("shutdown.begin") - begun) - (k.log.count("shutdown.end") - ended)
    k.equal("shutdown callbacks that cannot be awaited, or raised", raised, 0)
    return contribution


@rule("HC-CONTRIB-003", why="the name is in addresses, logs and keys, and joins a turn to its channel")
async def the_name_is_stable(k: Kit) -> None:
    """It is what was given or the default, the same each time, harmless anywhere, and the turn's channel."""
    driver = k.driver()
    channel = k.build(driver)
    names = {channel.name for _ in range(5)}
    if not k.equal("names that the channel gives when asked five times", names, {driver.env.name}):
        return
    k.check("a name for addresses and logs", bool(_SAFE.match(channel.name)), observed=channel.name)
    async with k.host(Echo()) as h:
        await h.turn(k.nonce())
        told = [run.hosting.get("channel") for run in h.runs]
        k.equal("the channel of the turn, as the target is told", told, [h.env.name])


@rule(
    "HC-CONTRIB-008",
    needs=["hooks"],
    once=True,
    why="the host reads the common options from the channel; one that it cannot see has no effect",
)
async def common_options_can_be_read(k: Kit) -> None:
    """What the constructor takes of the common options is an attribute of the same name and value."""

    def hook(*args: Any, **kwargs: Any) -> None:
        return None

    parameters = inspect.signature(type(k.build(k.driver()))).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    values: dict[str, Sequence[Any]] = {"run_hook": [hook], "response_hook": [hook]}
    values["stream_update_hook"] = [hook] if k.claim("streaming").runs else []
    values |= {name: choices for name, choices in _OTHERS.items() if open_ended or name in parameters}
    for option, choices in values.items():
        for value in choices:
            channel, refused = _with(k, option, value)
            if option not in _OTHERS:
                k.check(f"{option} is taken", not refused, expected="taken", observed=refused)
            if channel is not None:
                k.equal(f"{option} on the channel", getattr(channel, option, "no attribute"), value)


def _with(k: Kit, option: str, value: Any) -> tuple[Channel | None, str]:
    """The channel with a common option, or why it cannot be had."""
    try:
        return k.build(k.driver(options={option: value})), ""
    except Unproven as error:
        return None, str(error)


_OTHERS: Mapping[str, Sequence[Any]] = {
    "allowlist": [None, "inherit"],
    "require_link": [True, False],
    "confidentiality_tier": ["kit"],
    "accept_response_target": [True, False],
    "on_disconnect": ["continue", "cancel"],
}
"""Values to try; a channel that refuses one while its feature is not there keeps the rule by the other."""
