"""Step: the app's response hook replaces the final result, per destination (contract 5.2)."""

from __future__ import annotations

from typing import Any, cast

from ..hooks import ChannelResponseContext, call_hook
from ..results import HostedRunResult
from .run_hook import HookMisuse
from .turn import Turn


async def response_hook(turn: Turn, result: HostedRunResult[Any]) -> HostedRunResult[Any]:
    """The result for the originating destination.

    Raises:
        HookMisuse: The hook returned something else than a `HostedRunResult`.
    """
    hook = turn.entry.response_hook
    if hook is None:
        return result
    context = ChannelResponseContext(
        request=turn.request,
        channel_name=turn.entry.name,
        destination=turn.request.destination,
        destination_identity=turn.request.identity,
    )
    hooked: object = await call_hook(hook, result, context=context)
    if not isinstance(hooked, HostedRunResult):
        raise HookMisuse(
            f"the response hook of channel {turn.entry.name!r} returned {type(hooked).__name__}; expected a "
            "HostedRunResult: return the result, or result.replace(...)"
        )
    return cast("HostedRunResult[Any]", hooked)
