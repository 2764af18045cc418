"""Step: one turn at a time per session, then a run slot (contract 6.7, 16.1)."""

from __future__ import annotations

from .answers import is_answer
from .services import TurnServices
from .turn import Turn


async def lock(turn: Turn, services: TurnServices) -> None:
    """Waits for the session, then for a slot.

    Raises:
        TurnInProgress: By policy, or because the turn was started inside a turn of the same session.
        RateLimited: Too many wait for the session, or for a slot.
    """
    if turn.name is not None:
        await services.locks.acquire(turn.name, turn, first=is_answer(turn.request.input))
        turn.locked = True
    turn.slot = await services.slots.acquire()


async def unlock(turn: Turn, services: TurnServices) -> None:
    """Gives back what the turn holds; safe to call at any point."""
    if turn.slot is not None:
        services.slots.release(turn.slot)
        turn.slot = None
    if turn.locked and turn.name is not None:
        turn.locked = False
        await services.locks.release(turn.name, turn)
