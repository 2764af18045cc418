"""Step: a command is answered by its handler, not by the target (contract 13.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from agent_framework import Content, Message, normalize_messages

from ..channel import ChannelState
from ..commands import ChannelCommand, ChannelCommandContext, read_command
from ..delivery.payload import text_result
from ..envelope import ChannelRequest, ChannelSession
from ..results import HostedRunResult
from ..sessions.names import SessionName
from .commit import commit_replies
from .services import TurnServices
from .session_name import name_session
from .turn import Turn

RunNested = Callable[[ChannelRequest], Awaitable[HostedRunResult[Any]]]


def find_command(turn: Turn) -> tuple[ChannelCommand, str] | None:
    """The command at the start of the turn's text, with its arguments verbatim; unknown ones are text."""
    if not turn.entry.commands:
        return None
    text = _text_of(turn.request.input)
    found = read_command(text) if text is not None else None
    command = turn.entry.commands.get(found[0]) if found else None
    return (command, found[1]) if found and command else None


async def command(
    turn: Turn, services: TurnServices, *, state: ChannelState, run: RunNested
) -> HostedRunResult[Any] | None:
    """Runs the handler of a command; None where the turn is none.

    The replies of an acknowledged event go to the outbox; otherwise they are the turn's result.
    """
    found = find_command(turn)
    if found is None:
        return None
    await name_session(turn, services)
    await found[0].handle(_context(turn, services, found[1], state, run))
    if turn.event is not None:
        await commit_replies(turn, services)
    joined = "\n\n".join(turn.replies)
    return text_result(joined).replace(response_id=turn.response_id, turn_id=turn.id)


def _context(
    turn: Turn, services: TurnServices, arguments: str, state: ChannelState, run: RunNested
) -> ChannelCommandContext:
    async def reply(text: str) -> None:
        turn.replies.append(text)

    async def reset() -> None:
        if turn.name is not None:
            await services.sessions.reset(turn.name.isolation_key)

    async def stop() -> bool:
        running = _running_in(turn.name, services)
        if running is None:
            return turn.name is not None and await services.locks.ask_to_end(turn.name)
        running.cancel("cancelled")
        return True

    return ChannelCommandContext(
        request=turn.request,
        arguments=arguments,
        session=ChannelSession(turn.name.isolation_key, key=turn.name.key) if turn.name else None,
        state=state,
        reply=reply,
        run=run,
        reset=reset,
        stop=stop,
        commands=tuple(turn.entry.commands.values()),
        raw_event=turn.protocol_request,
    )


def _running_in(name: SessionName | None, services: TurnServices) -> Turn | None:
    holder = services.locks.holder(name) if name else None
    return holder if isinstance(holder, Turn) else None


def _text_of(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, Message | Content | list | tuple):
        messages = normalize_messages(value)  # type: ignore[arg-type]
        return messages[0].text if len(messages) == 1 else None
    return None
