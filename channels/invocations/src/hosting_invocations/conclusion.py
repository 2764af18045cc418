"""How an invocation ended, in the protocol's terms; the same for all ways to run it."""

from __future__ import annotations

from hosting import TurnEnd, as_response

from .codec import Answer, AnswerEnd, AnswerFold, ended
from .errors import told
from .records import InvocationRecord


def conclude(base: Answer, fold: AnswerFold, end: TurnEnd, *, run: str | None = None) -> InvocationRecord:
    """The record of an invocation that has ended.

    Args:
        base: The answer as it began.
        fold: What was said.
        end: How the turn ended.
        run: Of a background invocation, the host's token.
    """
    result = end.result
    failed = end.status == "failed"
    usage = as_response(result.result).usage_details if result else None
    conclusion = AnswerEnd(
        status=end.status,
        messages=fold.messages(),
        requests=result.requests if result else (),
        usage=usage or fold.usage,
        error=told(end.error) if failed else None,
    )
    status = getattr(end.error, "status", 500) if failed else 200
    return InvocationRecord(answer=ended(base, conclusion), http_status=status, run=run)
