"""One attempt of a task in the embedded runner: its handler, what stops it, and how its end is stored."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from ..clock import epoch_ms
from ..state.base import Statement
from ..state.errors import StateConflict, StateOutcomeUnknown, StateUnavailable
from ..state.signals import StoreSignals, signal
from ..state.tables import tasks
from ..state.tables.tasks import TakenTask
from .handlers import Handlers
from .policy import Random, RetryPolicy
from .runner import RunnerServices, TaskContext
from .verdict import Stop, Verdict, judge, report

TOPIC = "hosting.tasks"
"""What is signalled where a task may have become due: it was scheduled or given back, or one of its key ended."""

_TRY_AGAIN = 1.0
"""Seconds until the end of a task is stored again, where the store was away."""


@dataclass(frozen=True, slots=True)
class AttemptServices:
    """What all attempts of a runner share."""

    host: RunnerServices
    handlers: Handlers
    random: Random
    keep_ms: int


class Attempt:
    """Runs a claimed task; make it inside a running loop, which starts the handler.

    Args:
        taken: The claim.
        lease_until_ms: Until when it holds, unless it is renewed.
        services: What attempts share.
    """

    def __init__(self, taken: TakenTask, lease_until_ms: int, services: AttemptServices) -> None:
        self.taken = taken
        self.lease_until_ms = lease_until_ms
        self._services = services
        self._stopped: Stop | None = None
        self._leaving = False
        self._context = TaskContext(
            task_id=taken.id,
            name=taken.name,
            attempt=taken.attempts,
            max_attempts=taken.max_attempts,
            key=taken.order_key,
        )
        self._handler = asyncio.create_task(
            services.handlers.perform(taken.payload, taken.trace, self._context),
            name=f"hosting.task.{taken.name}",
        )

    def stop(self, why: Stop) -> None:
        """Cancels the handler; a reason is replaced by a stronger one only, a drain by a cancel, both by a lost lease."""
        if self._handler.done() or (self._stopped and _STRENGTH[why] <= _STRENGTH[self._stopped]):
            return
        self._stopped = why
        self._handler.cancel()

    def leave(self) -> None:
        """The drain has run out of time: cancels the handler, and does not wait for a store that is away."""
        self._leaving = True
        self.stop("drain")

    async def run(self) -> None:
        """Waits for the handler and stores what its end means."""
        await asyncio.wait([self._handler])
        error = _error_of(self._handler)
        log = self._services.host.logger
        if self._stopped == "lost" and error is not None:
            log.warning(
                "task %s (%s): another runner has it now; given up here", self.taken.id, self.taken.name
            )
            return
        verdict = judge(
            error,
            stopped=self._stopped,
            context=self._context,
            policy=_policy_of(self.taken),
            random=self._services.random,
        )
        report(log, verdict, self._context, error)
        try:
            await self._store(verdict)
        except StateConflict:
            log.warning(
                "task %s (%s): this end does not count, another runner has it now",
                self.taken.id,
                self.taken.name,
            )
        except Exception:
            log.exception(
                "task %s (%s): its end could not be stored; it is run again when its lease has ended",
                self.taken.id,
                self.taken.name,
            )

    async def _store(self, verdict: Verdict) -> None:
        """Again and again while the store is away, or the task would be run once more for nothing."""
        store, kept = self._services.host.store, False
        while True:
            try:
                await store.execute(*self._unit(verdict))
                return
            except StateConflict:
                if not kept:
                    raise
                return
            except StateUnavailable as error:
                if self._leaving:
                    raise
                kept = kept or isinstance(
                    error, StateOutcomeUnknown
                )  # then the next try finds that it was, or not
                await asyncio.sleep(_TRY_AGAIN)

    def _unit(self, verdict: Verdict) -> list[Statement]:
        unit = [self._end(verdict)]
        others_may_go_on = verdict.state == "given_back" or self.taken.order_key is not None
        if others_may_go_on and isinstance(self._services.host.store, StoreSignals):
            unit.append(signal(TOPIC))
        return unit

    def _end(self, verdict: Verdict) -> Statement:
        now = epoch_ms(self._services.host.clock)
        id, fence, expires = self.taken.id, self.taken.fence, now + self._services.keep_ms
        match verdict.state:
            case "retry":
                due = now + int(verdict.wait * 1000)
                error = verdict.error or ""
                return tasks.retry_task(id, fence, error=error, due_ms=due, now_ms=now, expires_ms=expires)
            case "given_back":
                return tasks.give_back_task(id, fence, now_ms=now, expires_ms=expires)
            case ended:
                return tasks.end_task(id, fence, ended, error=verdict.error, now_ms=now, expires_ms=expires)


_STRENGTH = {"drain": 1, "cancel": 2, "lost": 3}


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def _policy_of(taken: TakenTask) -> RetryPolicy:
    try:
        return RetryPolicy.from_dict(json.loads(taken.policy))
    except (ValueError, TypeError, AttributeError):
        return RetryPolicy(max_attempts=max(taken.max_attempts, 1))
