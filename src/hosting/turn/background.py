"""Background runs: asked for in one turn of the pipeline, run in another, on this host or a peer (contract 12, 4.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import epoch_ms
from ..errors import HostingError, RunFailed, UnknownReference
from ..results import ContinuationToken, StateWrite, TurnEnd
from ..runs.log import RunLogWriter, topic_of
from ..runs.request import KeptRequest, decode_request, encode_request
from ..runs.token import continuation_of, encode_error, token_hash
from ..runs.work import RunInWork
from ..serialization import from_json
from ..sessions.names import SessionName, joined
from ..state.access import record_statements
from ..state.base import Statement
from ..state.settled import settled
from ..state.signals import signal
from ..state.tables import cancels, events, runs, turns
from ..state.tables.events import TakenEvent
from ..state.tables.runs import StoredRun
from ..state.tables.turns import StoredTurn
from .turn import ChannelEntry, Turn

if TYPE_CHECKING:
    from .services import TurnServices

_KEEP_CLAIM_MS = 10 * 365 * 24 * 3600 * 1000
"""The work row of a run goes with the run, not by its own time."""

_KEEP_ANSWER_MS = 24 * 3600 * 1000
_ASKED_FOR_MS = 60_000

RUN_RESULT = "run:"
"""How the stored result of a turn begins whose answer is a background run."""

_INTERRUPTED = "The server stopped while this run was under way, and a part of it had been read; ask again."
_GIVEN_UP = "This run was given up after several attempts."


async def queue_run(turn: Turn, services: TurnServices, writes: Sequence[StateWrite]) -> ContinuationToken:
    """Stores the turn as a run, with the channel's records of it, in one transaction (contract 12.1).

    Raises:
        UnprocessableInput: The request cannot be kept as JSON.
    """
    request, now = turn.request, epoch_ms(services.clock)
    name = (turn.name.isolation_key, turn.name.key) if turn.name else None
    run_id = services.ids.new("turn") if turn.claimed else turn.id
    token = request.response_id or (turn.response_id if turn.claimed else services.ids.token())
    unit = [
        *([_answered(turn, run_id, now)] if turn.claimed else []),
        runs.add_run(
            run_id=run_id,
            token_hash=token_hash(token),
            channel=turn.entry.name,
            caller=request.caller.id if request.caller else "",
            response_id=turn.response_id,
            isolation_key=name[0] if name else None,
            request=encode_request(KeptRequest(request, turn.person, name)),
            now_ms=now,
        ),
        events.claim_event(
            kind="run",
            channel=turn.entry.name,
            delivery_id=run_id,
            lane=joined("run", *name) if name else None,
            payload="{}",
            now_ms=now,
            expires_ms=now + _KEEP_CLAIM_MS,
        ),
        *record_statements(turn.entry.name, writes, now_ms=now),
    ]

    def done(_: object) -> None:
        turn.committed = True
        services.wake_inbox()

    await settled(services.store, unit, done)
    return ContinuationToken(
        token=token,
        status="queued",
        isolation_key=name[0] if name else None,
        created_at=now / 1000,
        response_id=turn.response_id,
    )


def _answered(turn: Turn, run_id: str, now: int) -> Statement:
    """The end of a turn with an `Idempotency-Key`: its answer is the run, also for those who ask again."""
    return turns.finish_turn(
        turn.id,
        turn.attempt,
        "completed",
        result=RUN_RESULT + run_id,
        now_ms=now,
        expires_ms=now + _KEEP_ANSWER_MS,
    )


async def asked_for(earlier: StoredTurn, services: TurnServices) -> ContinuationToken:
    """The run that an earlier request with the same `Idempotency-Key` asked for, as it stands now.

    Raises:
        UnknownReference: It has expired.
    """
    run_id = (earlier.result or "").removeprefix(RUN_RESULT)
    run = runs.read_run((await services.store.execute(runs.load_run(run_id)))[0])
    if run is None:
        raise UnknownReference("The run that this Idempotency-Key began is no longer kept.")
    return continuation_of(run, run.response_id)


async def begin_attempt(taken: TakenEvent, services: TurnServices) -> RunInWork | StoredRun | None:
    """Takes a run up; the run alone if it may not be run again, None if it is over."""
    run_id = taken.delivery_id
    rows = await services.store.execute(*runs.begin_run(run_id, taken.fence), runs.load_run(run_id))
    run = runs.read_run(rows[2])
    if run is None or run.completed_ms is not None:
        return None
    if not rows[0] or taken.attempts > services.limits.turn_attempts:
        return run
    log = RunLogWriter(services.store, run_id, taken.fence)
    return RunInWork(run, taken, decode_request(run.request), log)


def turn_of_run(work: RunInWork, entry: ChannelEntry, services: TurnServices) -> Turn:
    """The turn of one attempt: it begins behind the run hook."""
    name = work.kept.name
    return Turn(
        id=work.run.run_id,
        entry=entry,
        request=work.kept.request,
        response_id=work.run.response_id,
        started=services.clock.monotonic(),
        sink=work.log,
        run=work,
        attempt=work.taken.attempts,
        person=work.kept.person,
        name=SessionName(*name) if name else None,
    )


async def run_rows(
    turn: Turn, services: TurnServices, work: RunInWork, end: TurnEnd, result: str | None
) -> list[Statement]:
    """What the commit of a run's turn writes beside the usual: the log's rest, the end, the channel's records."""
    error = end.error if isinstance(end.error, HostingError) else None
    finish = runs.finish_run(
        work.run.run_id,
        work.taken.fence,
        end.status,
        result=result,
        error=encode_error(error) if error else None,
        now_ms=epoch_ms(services.clock),
        expires_ms=_expiry(services),
    )
    writes = await concluded(turn.entry, turn.request, work.log.updates, end)
    return [*work.end(finish), *record_statements(turn.entry.name, writes, now_ms=epoch_ms(services.clock))]


async def concluded(
    entry: ChannelEntry, request: Any, updates: Sequence[Any], end: TurnEnd
) -> Sequence[StateWrite]:
    """The records that the channel keeps of how a run ended."""
    conclude = getattr(entry.channel, "conclude_run", None)
    return () if conclude is None else await conclude(request, updates, end)


async def give_up_run(run: StoredRun, taken: TakenEvent, entry: ChannelEntry, services: TurnServices) -> None:
    """Ends a run that may not be run again: a part of it was read, or its attempts are used up (contract 4.5)."""
    seen = bool(run.seen)
    code, text = ("interrupted", _INTERRUPTED) if seen else ("out_of_attempts", _GIVEN_UP)
    error = RunFailed(run.run_id, code=code, message=text)
    await _end_without_turn(run, entry, services, TurnEnd(status="failed", error=error), taken)
    services.logger.error("run %s ended as %s", run.run_id, code)


async def cancel_run(run: StoredRun, entry: ChannelEntry, services: TurnServices) -> bool:
    """Cancels a run wherever it is; False if it is over. One that runs elsewhere is asked, and ends soon after.

    So does one that this host took a moment ago; the caller lets such turns come again once the run has ended.
    """
    if run.completed_ms is not None:
        return False
    if await _cancelled_here(run, services):
        return True
    if (await services.store.execute(runs.withdraw_run(run.run_id)))[0]:
        await _end_without_turn(run, entry, services, TurnEnd(status="cancelled"), None)
        return True
    if await _cancelled_here(run, services):  # it began meanwhile
        return True
    services.running.cancel_on_arrival(run.response_id, "cancelled")
    until = epoch_ms(services.clock) + _ASKED_FOR_MS
    await services.store.execute(
        cancels.ask_to_cancel(run.response_id, "cancelled", until_ms=until), signal(cancels.TOPIC)
    )
    return True


async def _cancelled_here(run: StoredRun, services: TurnServices) -> bool:
    """Cancels the run's turn and waits for its end; False if there is none on this host."""
    turn = services.running.find(run.response_id)
    if turn is None:
        return False
    turn.cancel("cancelled")
    await turn.ended.wait()
    return True


async def _end_without_turn(
    run: StoredRun,
    entry: ChannelEntry | None,
    services: TurnServices,
    end: TurnEnd,
    taken: TakenEvent | None,
) -> None:
    """Ends a run whose turn did not; without `entry` the channel, which failed at it, is not asked for its records."""
    now = epoch_ms(services.clock)
    error = end.error if isinstance(end.error, HostingError) else None
    records: list[Statement] = []
    if entry is not None:
        updates = await _logged(run, services)
        writes = await concluded(entry, decode_request(run.request).request, updates, end)
        records = record_statements(entry.name, writes, now_ms=now)
    unit = [
        runs.finish_run(
            run.run_id,
            taken.fence if taken else run.fence,
            end.status,
            error=encode_error(error) if error else None,
            now_ms=now,
            expires_ms=_expiry(services),
        ),
        *([events.end_event(taken.seq, taken.fence, "done")] if taken else []),
        *records,
        signal(topic_of(run.run_id)),
    ]
    await settled(services.store, unit, lambda _: None)


async def _logged(run: StoredRun, services: TurnServices) -> list[Any]:
    """What the run said before it broke off, which somebody may have read."""
    rows = await services.store.execute(runs.load_log(run.run_id, after=0, limit=2**31 - 1))
    entries = [msgspec.json.decode(entry) for _, entry in runs.read_log(rows[0])]
    return [from_json(update) for entry in entries for update in entry]


def _expiry(services: TurnServices) -> int:
    return epoch_ms(services.clock) + int(services.limits.background_ttl * 1000)


Conduct = Callable[[Turn], Awaitable[Any]]
"""Takes a turn through the pipeline."""


async def process_run(
    taken: TakenEvent, entry: ChannelEntry, services: TurnServices, conduct: Conduct
) -> None:
    """One attempt at a run that this host took, to its end."""
    work = await begin_attempt(taken, services)
    if work is None:
        await services.store.execute(events.end_event(taken.seq, taken.fence, "done"))
    elif isinstance(work, StoredRun):
        await give_up_run(work, taken, entry, services)
    else:
        await _attempt(work, entry, services, conduct)


async def _attempt(work: RunInWork, entry: ChannelEntry, services: TurnServices, conduct: Conduct) -> None:
    turn = turn_of_run(work, entry, services)
    error: HostingError | None = None
    try:
        await conduct(turn)
    except HostingError as told:
        error = told
    finally:
        await asyncio.shield(work.log.stop())
    if not turn.committed and turn.cancel_reason not in ("shutting_down", "lease_lost"):
        end = TurnEnd(status="failed", error=error or RunFailed(work.run.run_id))
        await _end_without_turn(work.run, None, services, end, work.taken)
