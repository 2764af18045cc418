"""One attempt, as the engine's worker calls it."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Mapping
from typing import Any

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job

from ..handlers import Handlers
from ..payload import PayloadUndecodable
from ..policy import Random, RetryPolicy, TaskRejected
from ..runner import TaskContext
from ..verdict import Stop, Verdict, judge, report
from .fenced_jobs import GIVEN_BACK
from .job import JobArguments

_STOPS: Mapping[AbortReason | None, Stop | None] = {
    None: None,
    AbortReason.USER_REQUEST: "cancel",
    AbortReason.SHUTDOWN: "drain",
}


class AttemptFailed(Exception):
    """Carries the verdict on an attempt to the retry strategy."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.error)
        self.verdict = verdict


class OutOfAttempts(TaskRejected):
    """The job was fetched although its budget is spent; it is dead and not run (contract 11.2)."""

    def __init__(self) -> None:
        super().__init__("no attempt is left", code="out_of_attempts")


class Strategy(BaseRetryStrategy):
    """Does what the verdict says. Every task has it: one without a strategy is lost when a drain cuts it off."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if not isinstance(exception, AttemptFailed):
            # Cancelled before the attempt began.
            cut_off = isinstance(exception, asyncio.CancelledError | JobAborted)
            return RetryDecision(retry_at=GIVEN_BACK) if cut_off else None
        verdict = exception.verdict
        if verdict.state == "given_back":
            return RetryDecision(retry_at=GIVEN_BACK)
        if verdict.state == "retry":
            wait = datetime.timedelta(seconds=verdict.wait)
            return RetryDecision(retry_at=datetime.datetime.now(datetime.UTC) + wait)
        return None


class Performer:
    """Runs attempts.

    Args:
        handlers: Who runs what.
        logger: Told of how they end.
        random: Source of the jitter of retries.
    """

    def __init__(self, handlers: Handlers, *, logger: logging.Logger, random: Random) -> None:
        self._handlers = handlers
        self._log = logger
        self._random = random

    async def __call__(self, context: JobContext, /, **kwargs: Any) -> None:
        """The engine's task function: returns, or raises what `Strategy` and the engine make an end of."""
        job = context.job
        try:
            arguments = JobArguments.of(kwargs)
        except PayloadUndecodable as error:
            unknown = TaskContext(task_id=f"of job {job.id}", name=job.task_name, attempt=1, max_attempts=1)
            raise self._failed(error, None, unknown, RetryPolicy()) from error
        task = TaskContext(
            task_id=arguments.task_id,
            name=job.task_name,
            attempt=job.attempts + 1,
            max_attempts=arguments.policy.max_attempts,
            key=arguments.key,
        )
        try:
            if task.attempt > task.max_attempts:
                raise OutOfAttempts
            await self._handlers.perform(arguments.payload, arguments.trace, task)
        except (Exception, asyncio.CancelledError) as error:
            stopped = _STOPS[context.abort_reason()]
            raise self._failed(error, stopped, task, arguments.policy) from error

    def _failed(
        self, error: BaseException, stopped: Stop | None, task: TaskContext, policy: RetryPolicy
    ) -> Exception:
        verdict = judge(error, stopped=stopped, context=task, policy=policy, random=self._random)
        report(self._log, verdict, task, error)
        return JobAborted() if verdict.state == "cancelled" else AttemptFailed(verdict)
