"""The one path of all turns, step by step (contract 4.1).

    accept -> identify -> command? -> run hook -> session name -> lock -> load -> run -> response hook -> commit

Authentication and parsing come before, in the channel; delivery comes after, from the outbox. A refusal at one step
leaves no trace of later ones (contract 4.2). Allow-lists will stand between `accept` and `identify`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..channel import ChannelState
from ..errors import HostingError, RunFailed
from ..results import ContinuationToken, HostedRunResult, TurnStatus, as_response
from ..runs.work import RunInWork
from ..state.errors import StateConflict, StateUnavailable
from ..state.settled import settled
from .accept import accept
from .answers import claim_answers
from .background import queue_run
from .command import RunNested, command
from .commit import commit, commit_failure
from .identify import identify
from .load import load, unload
from .lock import lock, unlock
from .response_hook import response_hook
from .run import run_target
from .run_hook import run_hook
from .services import TurnServices
from .session_name import name_session
from .turn import Turn

_END_OF_HOST = {
    "shutting_down": ("shutting_down", "The server is shutting down; try again."),
    "lease_lost": ("interrupted", "The server lost its store; try again."),
}
"""Why a host ends turns, and what their callers are told: a code and a text."""


Outcome = HostedRunResult[Any] | ContinuationToken


async def conduct(turn: Turn, services: TurnServices, *, state: ChannelState, run: RunNested) -> Outcome:
    """Takes one turn from its request to its committed end.

    Args:
        turn: The turn; its task is the caller's.
        services: The host's parts.
        state: The channel's records, for commands.
        run: Runs a turn of the target from inside a command.

    Returns:
        The committed result; status `cancelled` where the turn was cancelled from outside. For a request that asks
        for a background run, the token of the run, which begins later and elsewhere.

    Raises:
        HostingError: What the client may be told of a turn that did not succeed.
    """
    turn.begin()
    services.running.add(turn)
    turn.span = services.telemetry.begin(turn)
    outcome = "failed"
    try:
        result = await _steps(turn, services, state, run)
        outcome = result.status
        return result
    except (asyncio.CancelledError, Exception) as exc:
        turn.ending = True
        if not turn.cancelled:
            raise await _failed(turn, services, exc) from None
        outcome = turn.result.status if turn.result else turn.cancel_reason or "cancelled"
        return await _cancelled(turn, services)
    finally:
        unload(turn, services)
        await unlock(turn, services)
        services.running.remove(turn)
        turn.end()
        services.telemetry.end(turn, outcome, services.clock.monotonic() - turn.started)


async def _steps(turn: Turn, services: TurnServices, state: ChannelState, run: RunNested) -> Outcome:
    if turn.run is None:
        earlier = await _first_steps(turn, services, state, run)
        if earlier is not None:
            return earlier
    await lock(turn, services)
    await load(turn, services)
    await claim_answers(turn, services)
    result = await run_target(turn, services)
    result = await response_hook(turn, result)
    if turn.holds_stream:
        await _show(turn, result)
    if turn.sink is not None:
        await turn.sink.drained()
    return await commit(turn, services, result)


async def _first_steps(
    turn: Turn, services: TurnServices, state: ChannelState, run: RunNested
) -> Outcome | None:
    """What a background run has behind it when it begins; an outcome where the turn ends here."""
    earlier = await accept(turn, services)
    if isinstance(earlier, HostedRunResult):
        return await _shown(turn, earlier)
    if earlier is not None:
        return earlier
    await identify(turn, services)
    answered = await command(turn, services, state=state, run=run)
    if answered is not None:  # the replies to an event are in the outbox already
        return answered if turn.event is not None else await _shown(turn, answered)
    await run_hook(turn, services)
    await name_session(turn, services)
    if turn.writes is not None:
        return await queue_run(turn, services, turn.writes)
    if turn.request.background:
        raise RuntimeError(
            "the run hook set background=True, but its caller did not ask for a background run and could not be given "
            "its token: let the caller ask, or leave it as it was"
        )
    return None


async def _shown(turn: Turn, result: HostedRunResult[Any]) -> HostedRunResult[Any]:
    """A result that no run of this turn made; a streamed turn shows it as its content."""
    await _show(turn, result)
    if turn.sink is not None:
        await turn.sink.drained()
    return result


async def _show(turn: Turn, result: HostedRunResult[Any]) -> None:
    if turn.sink is not None:
        for update in as_response(result.result).to_updates():
            await turn.sink.put(update, update)


async def _cancelled(turn: Turn, services: TurnServices) -> HostedRunResult[Any]:
    """Ends a cancelled turn; a cancellation that was not the host's own goes on to whoever awaits the turn."""
    error = None if turn.committed else _end_of_host(turn)
    if not turn.committed:
        if await _left_to_others(turn, services):
            raise asyncio.CancelledError
        await _store_end(turn, services, "failed" if error else "cancelled", error)
    if turn.cancelled_by_caller:
        raise asyncio.CancelledError
    if error is not None:
        raise error
    if turn.result is not None:
        return turn.result
    return HostedRunResult(None, response_id=turn.response_id, turn_id=turn.id, status="cancelled")


async def _left_to_others(turn: Turn, services: TurnServices) -> bool:
    """A platform event that the shutdown cut off goes on at the next start, without losing an attempt (contract 1.7).

    One that this host has lost is in the hands of others.
    """
    if turn.cancel_reason not in _END_OF_HOST:
        return False
    if turn.run is not None:
        return await _run_left_to_others(turn, turn.run, services)
    if turn.event is None or turn.event.ended:
        return False
    turn.event.ended = True
    if turn.cancel_reason == "shutting_down":
        await settled(services.store, [turn.event.give_back()], lambda _: None)
    return True


async def _store_end(
    turn: Turn, services: TurnServices, status: TurnStatus, error: HostingError | None
) -> None:
    """Stores how the turn ended; what it ended with counts, also where that fails."""
    try:
        await commit_failure(turn, services, status, error)
    except StateUnavailable as away:
        services.logger.warning("turn %s: its end could not be stored: %s", turn.id, away)
        if turn.store_end is not None:
            services.late_ends.add(turn.store_end)
    except Exception:
        services.logger.exception("turn %s: its end could not be stored", turn.id)


async def _run_left_to_others(turn: Turn, run: RunInWork, services: TurnServices) -> bool:
    """A run that nobody has read of begins again; any other ends here (contract 4.5)."""
    if turn.cancel_reason != "shutting_down":
        return True
    await run.log.stop()
    try:
        await settled(services.store, run.give_back(), lambda _: None)
    except StateConflict:
        return False
    return True


def _end_of_host(turn: Turn) -> RunFailed | None:
    told = _END_OF_HOST.get(turn.cancel_reason or "")
    if told is not None and turn.run is not None:
        told = ("interrupted", told[1])
    return None if told is None else RunFailed(turn.id, code=told[0], message=told[1])


async def _failed(turn: Turn, services: TurnServices, exc: BaseException) -> HostingError:
    """What the client is told; the log gets the rest under the same id (contract 14.2)."""
    error = (
        exc
        if isinstance(exc, HostingError)
        else RunFailed(services.ids.new("err"), message=_detail(services, exc))
    )
    error_id = getattr(error, "error_id", None)
    if error.status >= 500 and turn.repeats is None:  # less is the caller's to mend; a repeat was told before
        services.logger.error(
            "turn %s on %s failed: %s%s",
            turn.id,
            turn.entry.name,
            error.code,
            f" ({error_id})" if error_id else "",
            exc_info=exc,
        )
    await _store_end(turn, services, "failed", error)
    return error


def _detail(services: TurnServices, exc: BaseException) -> str | None:
    return f"{type(exc).__name__}: {exc}" if services.debug else None
