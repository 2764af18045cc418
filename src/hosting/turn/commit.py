"""Step: all that the turn leaves behind is written in one transaction (contract 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ..clock import epoch_ms
from ..delivery.outbox import delivery_row
from ..delivery.payload import encode_result, text_result
from ..errors import HostingError
from ..results import HostedRunResult, TurnEnd, TurnStatus
from ..sessions.live import SessionSave
from ..state.access import record_statements
from ..state.base import Statement
from ..state.settled import settled
from ..state.tables import turns
from .answers import answer_records
from .background import run_rows
from .expiry import session_expiry, snapshot_expiry, turn_expiry
from .services import TurnServices
from .turn import Turn


async def commit(turn: Turn, services: TurnServices, result: HostedRunResult[Any]) -> HostedRunResult[Any]:
    """Ends a turn that ran: session, history, channel records, turn and outbox rows, event (contract 4.4).

    A cancellation that comes in here waits until the transaction is decided, and is raised after it.
    """
    save = _session_save(turn, services)
    unit: list[Statement] = [*(save.statements if save else ()), *answer_records(turn, services)]
    deliveries = _reply_rows(turn, services, [result] if _says_something(result) else [])
    result = (
        result.replace(deliveries=tuple(row.params["id"] for row in deliveries)) if deliveries else result
    )
    unit += deliveries
    unit += _channel_records(turn, services, TurnEnd(status=result.status, result=result))
    unit += _turn_rows(turn, services, result.status, _kept(turn, result))
    unit += await _run_rows(turn, services, TurnEnd(status=result.status, result=result), _kept(turn, result))
    unit += _unlocked(turn, services)

    def done(_: object) -> None:
        _end(turn, services)
        turn.result = result
        if turn.name is not None and turn.locked:
            services.locks.released(turn.name, turn)
        if save and turn.session:
            services.sessions.saved(turn.session, save)
        if deliveries:
            services.wake_outbox()

    if save and save.elsewhere and turn.session:
        async with services.sessions.checkpoint_kept(turn.session, save):
            await _settled(turn, services, unit, done)
    else:
        await _settled(turn, services, unit, done)
    return result


async def _settled(
    turn: Turn, services: TurnServices, unit: Sequence[Statement], done: Callable[[object], None]
) -> None:
    """A turn ends once, so a commit whose answer was lost can be asked about."""

    async def kept() -> bool:
        found = turns.read_turn((await services.store.execute(turns.load_turn(turn.id)))[0])
        return found is not None and found.attempt == turn.attempt and found.finished_ms is not None

    await settled(services.store, unit, done, kept=kept)


def _kept(turn: Turn, result: HostedRunResult[Any]) -> str | None:
    return encode_result(result) if turn.claimed or turn.run is not None else None


async def commit_failure(
    turn: Turn, services: TurnServices, status: TurnStatus, error: HostingError | None
) -> None:
    """Ends a turn that failed or was cancelled: nothing of its session is kept (contract 6.2, 14.4)."""
    unit: list[Statement] = []
    if error is not None and turn.event is not None:
        unit += _reply_rows(turn, services, [text_result(_apology(turn, error))])
    end = TurnEnd(status=status, error=error)
    unit += _channel_records(turn, services, end)
    unit += await _run_rows(turn, services, end, None)
    if turn.running or turn.event is not None or turn.run is not None:
        kept = _session_as_it_was(turn, services)
        unit += kept
        unit += _turn_rows(turn, services, status, None, continues=bool(kept), error=error)
    elif turn.claimed:  # refused before it ran: the same key may be sent again
        unit.append(turns.forget_turn(turn.id, turn.attempt))

    def done(_: object) -> None:
        _end(turn, services)
        services.wake_outbox()

    async def store() -> None:
        await _settled(turn, services, unit, done)

    if turn.event is not None:
        turn.event.store_end = store
    elif turn.run is None and unit:
        turn.store_end = store
    if unit:
        await store()


async def commit_replies(turn: Turn, services: TurnServices) -> None:
    """Ends a turn that was a command: its replies, in order (contract 13.1)."""
    unit = _reply_rows(turn, services, [text_result(text) for text in turn.replies])
    unit += _turn_rows(turn, services, "completed", None)

    def done(_: object) -> None:
        _end(turn, services)
        services.wake_outbox()

    await _settled(turn, services, unit, done)


def _session_save(turn: Turn, services: TurnServices) -> SessionSave | None:
    live = turn.session
    if live is None:
        return None
    added = turn.history.added if turn.history else []
    return services.sessions.save(
        live,
        turn_id=turn.id,
        added=added,
        snapshot=_continues_later(turn),
        expires_ms=session_expiry(turn, services),
        snapshot_expires_ms=snapshot_expiry(turn, services),
        checkpoint=turn.checkpoints.last if turn.checkpoints else None,
    )


def _session_as_it_was(turn: Turn, services: TurnServices) -> list[Statement]:
    """A turn that failed counts as what was before it, also in a session that goes by another name (contract 6.6)."""
    if turn.session is None or not _continues_later(turn):
        return []
    kept = services.sessions.unchanged(
        turn.session, turn_id=turn.id, expires_ms=snapshot_expiry(turn, services)
    )
    return [kept] if kept else []


def _continues_later(turn: Turn) -> bool:
    """A caller may continue this turn by its response id although its session goes by another name."""
    named = turn.request.session is not None and turn.request.session.key is not None
    return named and turn.name is not None and turn.name.key != turn.response_id


def _says_something(result: HostedRunResult[Any]) -> bool:
    """On platforms a target that answers nothing gives nothing at all (contract 3.5)."""
    messages = getattr(result.result, "messages", None)
    return bool(result.text.strip()) if messages is None else any(message.contents for message in messages)


def _reply_rows(
    turn: Turn, services: TurnServices, results: Sequence[HostedRunResult[Any]]
) -> list[Statement]:
    """The outbox rows of an acknowledged event's replies; a turn with an open response has none (contract 4.6)."""
    if turn.event is None:
        return []
    now = epoch_ms(services.clock)
    return [
        delivery_row(
            id=services.ids.new("dlv"),
            turn_id=turn.id,
            destination=turn.request.destination,
            result=result,
            now_ms=now,
            begun="[]" if number else turn.event.begun,
        )
        for number, result in enumerate(results)
    ]


def _channel_records(turn: Turn, services: TurnServices, end: TurnEnd) -> list[Statement]:
    if turn.on_commit is None:
        return []
    return record_statements(turn.entry.name, turn.on_commit(end), now_ms=epoch_ms(services.clock))


def _turn_rows(
    turn: Turn,
    services: TurnServices,
    status: TurnStatus,
    result: str | None,
    *,
    continues: bool = True,
    error: HostingError | None = None,
) -> list[Statement]:
    now = epoch_ms(services.clock)
    leaves_session = status not in ("failed", "cancelled") and not _continues_later(turn)
    expires_ms = turn_expiry(turn, services, leaves_session=leaves_session)
    session_id = turn.session.session.session_id if turn.session and continues else None
    record = _record(turn, error)
    error_code = error.code if error else "cancelled" if status == "cancelled" else None
    rows: list[Statement] = []
    if turn.claimed:
        rows.append(
            turns.finish_turn(
                turn.id,
                turn.attempt,
                status,
                session_id=session_id,
                result=result,
                record=record,
                error_code=error_code,
                now_ms=now,
                expires_ms=expires_ms,
            )
        )
    else:
        rows.append(
            turns.add_ended_turn(
                turn_id=turn.id,
                channel=turn.entry.name,
                caller=turn.request.caller.id if turn.request.caller else "",
                session_id=session_id,
                response_id=turn.response_id,
                status=status,
                attempt=turn.attempt,
                record=record,
                error_code=error_code,
                now_ms=now,
                expires_ms=expires_ms,
            )
        )
    if turn.event is not None and not turn.event.ended:
        rows.append(turn.event.end("done"))
    return rows


async def _run_rows(
    turn: Turn, services: TurnServices, end: TurnEnd, result: str | None
) -> Sequence[Statement]:
    if turn.run is None:
        return ()
    await turn.run.log.stop()
    return await run_rows(turn, services, turn.run, end, result)


def _record(turn: Turn, error: HostingError | None) -> str:
    parent = turn.request.session.parent_key if turn.request.session else None
    record: dict[str, Any] = {
        "owner": turn.name.isolation_key if turn.name else None,
        "parent_key": parent,
        "intended_targets": [turn.request.destination.to_dict()],
        "skipped_targets": [],
    }
    if error is not None:
        record["error"] = {"status": error.status, "message": error.message}
    return msgspec.json.encode(record).decode()


def _apology(turn: Turn, error: HostingError) -> str:
    error_id = getattr(error, "error_id", None)
    return error.message if error_id is None else turn.entry.apology.format(id=error_id)


def _unlocked(turn: Turn, services: TurnServices) -> Sequence[Statement]:
    """The session is free with the commit; a turn that lost it commits nothing (contract 6.7)."""
    return services.locks.release_with(turn.name, turn) if turn.name is not None and turn.locked else ()


def _end(turn: Turn, services: TurnServices) -> None:
    turn.committed = True
    services.nudge_sweeper()
    if turn.event is not None:
        turn.event.ended = True
