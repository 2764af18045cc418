"""What the end of an attempt means (contract 11.1, 11.2)."""

from __future__ import annotations

import asyncio

import pytest

from hosting.durable import PayloadUndecodable, RetryPolicy, TaskContext, TaskRejected, UnknownHandler
from hosting.durable.verdict import Stop, Verdict, judge

CANCELLED = asyncio.CancelledError()
REJECTED = TaskRejected(code="chat_gone")


@pytest.mark.parametrize(
    ("error", "stopped", "attempt", "verdict"),
    [
        (None, None, 1, Verdict("succeeded")),
        (None, "cancel", 1, Verdict("succeeded")),
        (None, "drain", 3, Verdict("succeeded")),
        (RuntimeError(), None, 1, Verdict("retry", 1.0, "RuntimeError")),
        (RuntimeError(), None, 2, Verdict("retry", 2.0, "RuntimeError")),
        (RuntimeError(), None, 3, Verdict("failed", error="RuntimeError")),
        (CANCELLED, None, 1, Verdict("retry", 1.0, "CancelledError")),
        (CANCELLED, "cancel", 1, Verdict("cancelled")),
        (REJECTED, "cancel", 1, Verdict("cancelled")),
        (CANCELLED, "drain", 3, Verdict("given_back", error="CancelledError")),
        (RuntimeError(), "drain", 1, Verdict("given_back", error="RuntimeError")),
        (REJECTED, None, 1, Verdict("failed", error="chat_gone")),
        (REJECTED, "drain", 1, Verdict("failed", error="chat_gone")),
        (UnknownHandler("work"), None, 1, Verdict("failed", error="unknown_handler")),
        (PayloadUndecodable("no"), None, 1, Verdict("failed", error="undecodable_payload")),
    ],
)
def test_an_end_and_its_verdict(
    error: BaseException | None, stopped: Stop | None, attempt: int, verdict: Verdict
) -> None:
    context = TaskContext(task_id="task_1", name="work", attempt=attempt, max_attempts=3)
    policy = RetryPolicy(max_attempts=3, jitter=False)
    assert judge(error, stopped=stopped, context=context, policy=policy, random=lambda: 0.0) == verdict
