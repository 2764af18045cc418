"""What the end of an attempt means for its task; the same for every runner (contract 11.1, 11.2)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from .policy import Random, RetryPolicy, TaskRejected, retry_after_of
from .runner import TaskContext

Stop = Literal["drain", "cancel", "lost"]
"""Why a handler was cancelled: the runner stops, somebody cancelled the task, or another runner has it now."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a task goes on.

    Args:
        state: `retry` is to be tried again after `wait`; `given_back` at once, the attempt not counted.
        wait: Seconds.
        error: Name of what failed, to be kept with the task: never a message, which may hold what was said.
    """

    state: Literal["succeeded", "failed", "cancelled", "retry", "given_back"]
    wait: float = 0.0
    error: str | None = None


def judge(
    error: BaseException | None,
    *,
    stopped: Stop | None,
    context: TaskContext,
    policy: RetryPolicy,
    random: Random,
) -> Verdict:
    """The verdict on an attempt that ended with `error`, None where its handler returned.

    A handler that was cancelled and returned all the same has succeeded.
    """
    if error is None:
        return Verdict("succeeded")
    if stopped == "cancel":
        return Verdict("cancelled")
    name = type(error).__name__
    if isinstance(error, TaskRejected):
        return Verdict("failed", error=error.code)
    if stopped == "drain":
        return Verdict("given_back", error=name)
    if context.attempt >= context.max_attempts:
        return Verdict("failed", error=name)
    wait = policy.wait(context.attempt, retry_after_of(error), random=random)
    return Verdict("retry", wait=wait, error=name)


def report(
    logger: logging.Logger, verdict: Verdict, context: TaskContext, error: BaseException | None
) -> None:
    """Says in the log what went wrong, with the task's id and never its payload (contract 18.2)."""
    where = f"task {context.task_id} ({context.name})"
    attempt = f"attempt {context.attempt} of {context.max_attempts}"
    match verdict.state:
        case "retry":
            logger.warning(
                "%s: %s failed (%s); again in %.1f s",
                where,
                attempt,
                verdict.error,
                verdict.wait,
                exc_info=error,
            )
        case "failed":
            logger.error("%s is dead: %s failed (%s)", where, attempt, verdict.error, exc_info=error)
        case "given_back":
            logger.info("%s: %s was cut off by the shutdown and is given back", where, attempt)
        case "cancelled":
            logger.info("%s: cancelled in %s", where, attempt)
        case "succeeded":
            logger.debug("%s: %s succeeded", where, attempt)


def report_buried(logger: logging.Logger, task_id: str, name: str, state: str, attempts: int) -> None:
    """Says in the log what became of a task whose runner is gone."""
    if state == "cancelled":
        logger.info("task %s (%s): cancelled; its runner is gone", task_id, name)
    else:
        logger.error(
            "task %s (%s) is dead: out of attempts (%d), the last one ended with its runner",
            task_id,
            name,
            attempts,
        )
