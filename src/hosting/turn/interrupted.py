"""Ends the turns that a dead process left open: they run no more, and their keys say so (contract 4.5)."""

from __future__ import annotations

from ..clock import epoch_ms
from ..state.tables import turns
from .commit import TURN_TTL_MS
from .services import TurnServices

_BATCH = 100


async def end_interrupted(services: TurnServices) -> None:
    """Called at the start, when this process has no turn yet and no other one has the store (contract 15.3)."""
    now = epoch_ms(services.clock)
    while True:
        rows = await services.store.execute(turns.load_open_turns(before_ms=now, limit=_BATCH))
        found = turns.read_turns(rows[0])
        if not found:
            return
        unit = [
            turns.finish_turn(
                turn.turn_id,
                turn.attempt,
                "failed",
                record=turn.record,
                error_code="interrupted",
                now_ms=now,
                expires_ms=now + TURN_TTL_MS,
            )
            for turn in found
        ]
        await services.store.execute(*unit)
        services.logger.warning("%d turns were cut off when the host last stopped", len(found))
