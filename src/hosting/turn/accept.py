"""Step: an API request with an `Idempotency-Key` is claimed; a repeat gets the first one's answer (contract 4.3)."""

from __future__ import annotations

from typing import Any

import msgspec

from ..clock import epoch_ms
from ..delivery.payload import decode_result
from ..errors import RequestError, RunFailed, TurnInProgress
from ..results import ContinuationToken, HostedRunResult
from ..sessions.names import SessionName
from ..state.base import Rows
from ..state.settled import settled
from ..state.tables import turns
from ..state.tables.turns import StoredTurn
from .background import RUN_RESULT, asked_for
from .interrupted import is_over
from .services import TurnServices
from .turn import Turn


async def accept(turn: Turn, services: TurnServices) -> HostedRunResult[Any] | ContinuationToken | None:
    """Claims the key; returns the earlier turn's result where there is one, once that one has ended.

    Platform events are claimed before they get here, by `ChannelContext.accept`.

    Raises:
        RequestError: The key is blank, which callers share that mean none.
        TurnInProgress: The first request with this key still runs, and in another process.
        RunFailed: The first request with this key ran and failed; it says what that one said.
    """
    key = turn.request.delivery_id
    if key is None or turn.event is not None:
        return None
    if not key.strip():
        raise RequestError("The Idempotency-Key is blank.", param="Idempotency-Key")
    earlier = await _claim(turn, services, key)
    while not turn.claimed and (earlier is None or earlier.finished_ms is None):
        await _first_ended(turn, earlier, services)
        earlier = await _claim(turn, services, key)
    if turn.claimed or earlier is None:
        return None
    if earlier.result is not None and earlier.result.startswith(RUN_RESULT):
        return await asked_for(earlier, services)
    turn.repeats = earlier
    if earlier.result is None:
        raise _same_failure(earlier)
    result = decode_result(earlier.result)
    if result.session is not None and result.session.isolation_key and result.session.key:
        turn.name = SessionName(result.session.isolation_key, result.session.key)
    return result


async def _first_ended(turn: Turn, earlier: StoredTurn | None, services: TurnServices) -> None:
    """Waits for the first request with the key, where it runs in this process and does not wait for this one.

    One whose host is gone is over.
    """
    if earlier is not None and await is_over(earlier, services):
        return
    first = services.running.find(earlier.response_id) if earlier and earlier.response_id else None
    if first is None or first.task is turn.task:
        raise TurnInProgress(
            "The first request with this Idempotency-Key is still in progress.", retry_after=1.0
        )
    await first.ended.wait()


async def _claim(turn: Turn, services: TurnServices, key: str) -> StoredTurn | None:
    """Sets `turn.claimed`; returns the turn that has the key."""
    caller = turn.request.caller.id if turn.request.caller else ""
    begin = turns.begin_turn(
        turn_id=turn.id,
        channel=turn.entry.name,
        caller=caller,
        delivery_id=key,
        response_id=turn.response_id,
        owner=services.instance,
        now_ms=epoch_ms(services.clock),
    )
    find = turns.load_turn_by_delivery(channel=turn.entry.name, caller=caller, delivery_id=key)
    found: list[StoredTurn | None] = []

    def done(rows: list[Rows]) -> None:
        turn.claimed = bool(rows[0])
        found.append(turns.read_turn(rows[1]))

    await settled(services.store, [begin, find], done)
    return found[0]


def _same_failure(earlier: StoredTurn) -> RunFailed:
    told: dict[str, Any] = msgspec.json.decode(earlier.record).get("error", {})
    error = RunFailed(earlier.turn_id, code=earlier.error_code or RunFailed.code, message=told.get("message"))
    error.status = told.get("status", RunFailed.status)
    return error
