"""Step: the answer to an open request is given once, in whatever branch (contract 6.6, 6.8).

That a request is answered stands on the request itself: forks share the row of the message that asked, or the id of
the workflow's request. It is written with the answering turn's commit, so a turn that fails, or a process that dies,
has answered nothing. Meanwhile the running turn itself keeps others out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from agent_framework import Content, Message

from ..clock import epoch_ms
from ..errors import AlreadyAnswered
from ..sessions.live import LiveSession
from ..sessions.names import joined
from ..state.base import Statement
from ..state.tables import records
from .services import TurnServices
from .turn import Turn

NAMESPACE = "hosting.answers"

_ANSWERS = frozenset({"function_approval_response", "function_result"})


def is_answer(value: Any) -> bool:
    """Whether an input ends with answers to open requests, and with nothing else."""
    last: Sequence[Content] = ()
    for contents in _messages(value):
        last = contents
    return bool(last) and all(content.type in _ANSWERS for content in last)


async def claim_answers(turn: Turn, services: TurnServices) -> None:
    """Claims what the turn answers, before the run.

    Raises:
        AlreadyAnswered: One of the requests was answered before, or is being answered, in this branch or another.
    """
    if turn.session is None:
        return
    answers = frozenset(_keys(turn.session, turn.request.input))
    if not answers:
        return
    taken = any(answers & other.answers for other in services.running if other is not turn)
    turn.answers = answers
    now = epoch_ms(services.clock)
    found = await services.store.execute(*[records.get_record(NAMESPACE, key, now_ms=now) for key in answers])
    if taken or any(found):
        turn.answers = frozenset()
        raise AlreadyAnswered("This request was answered before.")


def answer_records(turn: Turn, services: TurnServices) -> list[Statement]:
    """For the commit: each request is answered now; conflicts where another process was faster."""
    now = epoch_ms(services.clock)
    return [
        dataclasses.replace(records.add_record(NAMESPACE, key, '"answered"', now_ms=now), expect=1)
        for key in sorted(turn.answers)
    ]


def _keys(session: LiveSession, value: Any) -> Iterator[str]:
    """What names each request that the input answers, in all branches."""
    owner = session.name.isolation_key
    pending = session.checkpoint.pending_request_info_events if session.checkpoint else {}
    asked = {
        name: request_id
        for request_id, event in pending.items()
        for name in (request_id, getattr(event.data, "id", None), getattr(event.data, "call_id", None))
    }
    for content in (content for contents in _messages(value) for content in contents):
        approval = content.id if content.type == "function_approval_response" else None
        answered = content.call_id if content.type == "function_result" else approval
        if answered in asked:
            yield joined(owner, asked[answered])
        elif approval:
            yield joined(_asking_row(session, approval) or owner, approval)


def _asking_row(session: LiveSession, approval: str) -> str | None:
    """The stored message that asked."""
    for node in session.head.path() if session.head else ():
        for content in node.message.contents:
            if content.type == "function_approval_request" and content.id == approval:
                return node.row_id
    return None


def _messages(value: Any) -> Iterable[Sequence[Content]]:
    """The contents of each message of an input."""
    items: Sequence[Any] = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
    for item in items:
        if isinstance(item, Content):
            yield [item]
        elif isinstance(item, Message):
            yield item.contents
        else:
            yield []
