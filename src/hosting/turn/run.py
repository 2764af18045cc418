"""Step: the target runs, once, inside the turn's time and its span (contract 3.5, 7.0, 16.1)."""

from __future__ import annotations

import copy
from typing import Any

from ..envelope import ChannelSession
from ..hooks import call_hook
from ..results import HostedRunResult
from ..targets.base import CLIENT_STATE, TargetCall, TargetResult
from .services import TurnServices
from .surrogates import clean_update
from .turn import Turn, UpdateSink


async def run_target(turn: Turn, services: TurnServices) -> HostedRunResult[Any]:
    """Runs the target to its end; a streamed turn sends its updates meanwhile.

    Raises:
        RunTimeout: The run passed `limits.run_timeout`.
        UnprocessableInput: The input is of a type that the target does not take.
    """
    services.target.check_input(turn.request.input)
    call = _call(turn)
    turn.running = True
    times = services.run_times if turn.run is None else services.background_times
    with times.watch(), services.telemetry.around_run(turn):
        outcome = await _bound(turn, services, call)
    return _result(turn, outcome)


async def _bound(turn: Turn, services: TurnServices, call: TargetCall) -> TargetResult:
    binding = services.target.binding(call)
    if binding is None:
        return await _run(turn, services, call)
    async with binding:
        return await _run(turn, services, call)


async def _run(turn: Turn, services: TurnServices, call: TargetCall) -> TargetResult:
    if turn.sink is None:
        return await services.target.run(call)
    return await _stream(turn, services, call, turn.sink)


async def _stream(turn: Turn, services: TurnServices, call: TargetCall, sink: UpdateSink) -> TargetResult:
    stream = services.target.stream(call)
    hook = turn.entry.stream_update_hook
    held = 0
    try:
        async for update in stream:
            clean_update(update)
            if turn.holds_stream:
                held += len(update.text)
                _check_held(held, services.limits.max_held_bytes)
            else:
                await sink.put(update, update if hook is None else await call_hook(hook, update))
        return await stream.final()
    except BaseException as exc:
        await stream.abandon(exc)
        raise


def _check_held(held: int, most: int) -> None:
    if held > most:
        raise RuntimeError(
            f"the response hook holds back more than limits.max_held_bytes ({most}) of a stream; raise the limit, or "
            "set stream_with_response_hook=True on the channel to let drafts be seen"
        )


def _call(turn: Turn) -> TargetCall:
    request = turn.request
    return TargetCall(
        input=request.input,
        turn_id=turn.id,
        session=turn.given,
        options=request.options,
        client_tools=request.client_tools,
        attempt=turn.attempt,
        checkpoints=turn.checkpoints,
        response_id=turn.response_id,
        previous_response_id=request.session.parent_key if request.session else None,
        isolation=turn.name.isolation_key if turn.name else None,
        hosting={
            "channel": request.channel,
            "identity": request.identity.native_id if request.identity else None,
            "conversation_id": request.conversation_id,
            "response_target": request.response_target.kind,
            "delivery_id": request.delivery_id,
            "turn_id": turn.id,
            "attempt": turn.attempt,
        },
    )


def _result(turn: Turn, outcome: TargetResult) -> HostedRunResult[Any]:
    return HostedRunResult(
        result=outcome.result,
        session=_session_of(turn),
        response_id=turn.response_id,
        turn_id=turn.id,
        status=outcome.status,
        requests=outcome.requests,
        client_state=copy.deepcopy(turn.given.state.get(CLIENT_STATE)) if turn.given else None,
    )


def _session_of(turn: Turn) -> ChannelSession | None:
    return ChannelSession(turn.name.isolation_key, key=turn.name.key) if turn.name else None
