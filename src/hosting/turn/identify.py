"""Step: who the person is to the host (contract 9.1)."""

from __future__ import annotations

from .services import TurnServices
from .turn import Turn


async def identify(turn: Turn, services: TurnServices) -> None:
    """Sets `turn.person`, the isolation key of the request's identity; None for an anonymous one."""
    if turn.request.identity is not None:
        turn.person = await services.resolver.resolve(turn.request)
