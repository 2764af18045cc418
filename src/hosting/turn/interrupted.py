"""Ends what a host that is gone left behind and nobody may run again (contract 4.5, 14.4)."""

from __future__ import annotations

import msgspec

from ..clock import epoch_ms
from ..delivery.inbox import EventInWork
from ..delivery.outbox import delivery_row
from ..delivery.payload import text_result
from ..state.errors import StateConflict
from ..state.settled import settled
from ..state.tables import turns
from ..state.tables.events import EventEnd
from ..state.tables.turns import StoredTurn
from .expiry import TURN_TTL_MS
from .services import TurnServices

_BATCH = 100
_TOLD = "The server stopped before the request was answered."


async def end_interrupted(services: TurnServices) -> None:
    """Ends the claimed API turns of hosts that are gone: their keys then say that they were interrupted."""
    while True:
        now = epoch_ms(services.clock)
        rows = await services.store.execute(turns.load_cut_off_turns(now_ms=now, limit=_BATCH))
        found = turns.read_turns(rows[0])
        for turn in found:
            await _end(turn, services, now)
        if len(found) < _BATCH:
            break
    if found:
        services.logger.warning("%d turns were cut off when a host stopped", len(found))


async def is_over(turn: StoredTurn, services: TurnServices) -> bool:
    """Ends an open turn whose host is gone; True if it was one."""
    rows = await services.store.execute(turns.load_cut_off(turn.turn_id, now_ms=epoch_ms(services.clock)))
    if not rows[0]:
        return False
    await _end(turn, services, epoch_ms(services.clock))
    return True


async def _end(turn: StoredTurn, services: TurnServices, now: int) -> None:
    end = turns.finish_turn(
        turn.turn_id,
        turn.attempt,
        "failed",
        record=turn.record,
        error_code="interrupted",
        now_ms=now,
        expires_ms=now + TURN_TTL_MS,
    )
    try:
        await services.store.execute(end)
    except StateConflict:
        return  # another host has ended it


async def give_up(
    work: EventInWork, services: TurnServices, *, apology: str, code: str, end: EventEnd
) -> None:
    """Ends an event that may not be run again; its sender gets the apology, in place of what was begun.

    Args:
        work: The event.
        services: The host's parts.
        apology: The channel's text; `{id}` is the turn's id, which is in the log and in the store.
        code: The error code of its turn.
        end: What becomes of the event; a dead one can be tried again by an operator.
    """
    now = epoch_ms(services.clock)
    record = {"owner": None, "intended_targets": [work.destination.to_dict()], "skipped_targets": []}
    unit = [
        delivery_row(
            id=services.ids.new("dlv"),
            turn_id=work.turn_id,
            destination=work.destination,
            result=text_result(apology.format(id=work.turn_id)),
            now_ms=now,
            begun=work.taken.seen or "[]",
        ),
        turns.add_ended_turn(
            turn_id=work.turn_id,
            channel=work.taken.channel,
            caller="",
            session_id=None,
            response_id="",
            status="failed",
            attempt=work.taken.attempts,
            record=msgspec.json.encode({**record, "error": {"status": 500, "message": _TOLD}}).decode(),
            error_code=code,
            now_ms=now,
            expires_ms=now + TURN_TTL_MS,
        ),
        work.end(end),
    ]

    def done(_: object) -> None:
        work.ended = True
        services.wake_outbox()

    async def store() -> None:
        await settled(services.store, unit, done)

    work.store_end = store
    await store()
