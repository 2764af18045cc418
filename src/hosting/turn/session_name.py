"""Step: which session the turn runs in, computed by the host and never by a channel (contract 6.1-6.3)."""

from __future__ import annotations

from ..envelope import ChannelRequest
from ..errors import SessionRequired
from ..sessions.names import SessionName, checked_key, host_tracked_owner
from .services import TurnServices
from .turn import Turn


async def name_session(turn: Turn, services: TurnServices) -> None:
    """Sets `turn.name`, or leaves it None for a turn without a session.

    Raises:
        SessionRequired: `session_mode="required"` and no key is known.
        RequestError: A key that nothing may be named by.
    """
    request = turn.request
    if request.session_mode == "disabled":
        return
    owner = _owner(turn, request)
    key = request.session.key if request.session else None
    if owner is None:
        if request.session_mode == "required":
            raise SessionRequired("This request needs a session; name one.")
        return
    checked_key(owner, param="session")
    if key is None:
        key = await services.sessions.alias(owner)
    if request.session is not None and request.session.parent_key is not None:
        checked_key(request.session.parent_key, param="session")
    turn.name = SessionName(owner, checked_key(key, param="session"))


def _owner(turn: Turn, request: ChannelRequest) -> str | None:
    if request.session is not None:
        fallback = request.caller.id if request.caller else turn.person
        return request.session.isolation_key or fallback
    if request.identity is not None or request.conversation_id is not None:
        return host_tracked_owner(request, turn.person, turn.entry.conversation_scope)
    return None
