"""Step: the app's run hook may change or refuse the request (contract 5.1)."""

from __future__ import annotations

from ..envelope import ChannelRequest
from ..errors import HookRejected, HostingError
from ..hooks import call_hook
from .services import TurnServices
from .turn import Turn


class HookMisuse(Exception):
    """A hook of the app did what the contract forbids; the app must change (contract 5.1)."""


async def run_hook(turn: Turn, services: TurnServices) -> None:
    """Replaces `turn.request` by what the hook returns.

    Raises:
        HookRejected: The hook refused, or raised `ValueError`; only `HookRejected.message` reaches the client.
        HookMisuse: It returned something else, or changed what it may not.
    """
    hook = turn.entry.run_hook
    if hook is None:
        return
    before = turn.request
    try:
        after = await call_hook(
            hook, before, target=services.target.info, protocol_request=turn.protocol_request
        )
    except HostingError:
        raise
    except ValueError as exc:
        raise HookRejected("The request was refused.") from exc
    turn.request = _checked(before, after)
    if turn.request.identity != before.identity:
        turn.person = await services.resolver.resolve(turn.request)


def _checked(before: ChannelRequest, after: object) -> ChannelRequest:
    if not isinstance(after, ChannelRequest):
        raise HookMisuse(
            f"the run hook of channel {before.channel!r} returned {type(after).__name__}; expected a ChannelRequest: "
            "return the request, or request.replace(...)"
        )
    for name in ("channel", "delivery_id", "caller"):
        if getattr(after, name) != getattr(before, name):
            raise HookMisuse(
                f"the run hook of channel {before.channel!r} changed {name!r}, which no hook may; leave it as it was"
            )
    return after
