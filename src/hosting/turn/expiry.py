"""How long what a turn leaves behind is kept (contract 4.3, 6.6, 15.4)."""

from __future__ import annotations

from ..clock import epoch_ms
from .services import TurnServices
from .turn import Turn

TURN_TTL_MS = 24 * 3600 * 1000
"""How long a turn record is kept after its end, at least."""


def session_expiry(turn: Turn, services: TurnServices) -> int | None:
    """The host's `session_ttl`; one that only the response names goes when that response can no longer be continued."""
    by_response = turn.name is not None and turn.name.key == turn.response_id
    limit = services.limits.session_ttl
    asked = (_continue_for(turn) if by_response else None, None if limit is None else int(limit * 1000))
    given = [each for each in asked if each is not None]
    return epoch_ms(services.clock) + min(given) if given else None


def snapshot_expiry(turn: Turn, services: TurnServices) -> int:
    """A place in a session is kept while the turn that ended there can be continued."""
    return epoch_ms(services.clock) + max(TURN_TTL_MS, _continue_for(turn) or 0)


def turn_expiry(turn: Turn, services: TurnServices, *, leaves_session: bool) -> int:
    """A turn that left no session of its own is found by its record, so that is kept as long as the snapshot.

    One that was sent with a key is kept for a day all the same, for then the key may be used again.
    """
    if leaves_session or turn.claimed:
        return epoch_ms(services.clock) + TURN_TTL_MS
    return snapshot_expiry(turn, services)


def _continue_for(turn: Turn) -> int | None:
    session = turn.request.session
    return None if session is None or session.continue_for is None else int(session.continue_for * 1000)
