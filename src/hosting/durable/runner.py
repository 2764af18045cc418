"""What every durable task runner does (contract 11.1); all of them pass one suite, `hosting_testkit.runners`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from ..clock import TimeSource
from ..ids import IdSource
from ..state.base import HostStateStore, Statement
from .payload import DurableTaskPayloadMode
from .policy import RetryPolicy

TaskStatus = Literal["scheduled", "running", "succeeded", "failed", "cancelled"]
"""Where a task stands. A task that is dead (out of attempts, refused, unknown, undecodable) is `failed`."""


@dataclass(frozen=True, slots=True)
class TaskHandle:
    """Names a task; valid in every process that shares the store.

    Args:
        task_id: Its id, stable over all attempts.
        name: Name of its handler.
    """

    task_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What a handler knows of the attempt that it is.

    Args:
        task_id: The same for every attempt: an idempotency key where the other side honours one.
        name: Name of the handler.
        attempt: 1 for the first.
        max_attempts: After which one the task is dead.
        key: What the task keeps its order with, or None.
    """

    task_id: str
    name: str
    attempt: int
    max_attempts: int
    key: str | None = None


TaskHandler = Callable[[Any, TaskContext], Awaitable[None]]
"""Runs one attempt: `async def handler(payload, context)`.

It returns when the task is done. It raises `TaskRetryable` to be tried again when the other side says so, `TaskRejected`
when there is no use in that; anything else is tried again after the policy's wait. It is cancelled when the task is
cancelled, when a drain has run out of time, or when another runner has taken the task over. It may be run more than once
for one task, also after it has done its work: what it does to others must bear that.
"""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task that is scheduled by whoever puts its statements into a unit.

    Args:
        handle: The task that will be, once the unit is committed.
        statements: All of them belong into one unit, in this order.
    """

    handle: TaskHandle
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerServices:
    """What a host lends its runner.

    Args:
        store: The host's store.
        clock: Where time comes from.
        ids: Makes task ids.
        logger: Told of retries, dead tasks and lost leases; never of payloads.
    """

    store: HostStateStore
    clock: TimeSource
    ids: IdSource
    logger: logging.Logger


@runtime_checkable
class DurableTaskRunner(Protocol):
    """Runs named handlers on JSON payloads, at least once, over crashes and restarts.

    The order of use: `bind` (the host does it), `register`, `resume`; then `schedule` or `plan`, `get`, `cancel`; in the
    end `drain`. After a drain it may be resumed again.
    """

    @property
    def payload_mode(self) -> DurableTaskPayloadMode:
        """How payloads are kept."""
        ...

    @property
    def in_process(self) -> bool:
        """Whether tasks die with a process that is frozen between requests (contract 11.3)."""
        ...

    def describe(self) -> str:
        """The runner in a few words for the start line; no address, no secret (contract 1.9)."""
        ...

    def bind(self, services: RunnerServices) -> None:
        """Takes what the host lends; does no I/O.

        Raises:
            ChannelConfigurationError: The host's store does not fit the runner.
        """
        ...

    def joins(self, store: HostStateStore) -> bool:
        """Whether statements of `plan` may stand in a unit of `store`; otherwise only `schedule` is there."""
        ...

    def register(
        self, name: str, handler: TaskHandler, *, decode: Callable[[Any], Any] | None = None
    ) -> None:
        """Says who runs the tasks of a name, in every process that runs tasks.

        Args:
            name: 1 to 128 characters without control characters.
            handler: Runs an attempt.
            decode: Makes what the handler gets from the JSON payload. A task whose payload it refuses, by any
                exception, is dead.

        Raises:
            RuntimeError: The runner has been resumed.
            ValueError: The name is not one, or has a handler.
        """
        ...

    def plan(
        self,
        name: str,
        payload: Any,
        *,
        retry_policy: RetryPolicy | None = None,
        key: str | None = None,
        delay: float | None = None,
    ) -> PlannedTask:
        """As `schedule`, but nothing happens until the caller commits the statements in a unit of the host's store.

        So the task exists exactly if the rest of the unit does (contract 4.4). Call `wake` after the commit.
        """
        ...

    async def schedule(
        self,
        name: str,
        payload: Any,
        *,
        retry_policy: RetryPolicy | None = None,
        key: str | None = None,
        delay: float | None = None,
    ) -> TaskHandle:
        """Keeps a task, to be run as soon as may be.

        Args:
            name: Which handler runs it; it need not be registered here.
            payload: JSON values.
            retry_policy: `RetryPolicy()` by default.
            key: Tasks of one key run one at a time, in the order in which they were scheduled; one that waits for its
                delay or its next attempt holds up those behind it.
            delay: Seconds before its first attempt.

        Raises:
            PushPayloadNotSerializable: The payload is not JSON; nothing was kept.
            ValueError: The delay is negative or not finite, or the name is not one.
            StateUnavailable: It could not be kept.
        """
        ...

    def wake(self) -> None:
        """Says that a unit with planned tasks was committed."""
        ...

    async def get(self, handle: TaskHandle) -> TaskStatus:
        """Where a task stands.

        Raises:
            UnknownReference: There is no such task, or it ended long ago.
        """
        ...

    async def cancel(self, handle: TaskHandle) -> bool:
        """Cancels a scheduled task; cancels the handler of a running one, wherever it runs.

        A handler that returns all the same has succeeded.

        Returns:
            Whether the task was still open.

        Raises:
            UnknownReference: There is no such task, or it ended long ago.
        """
        ...

    async def resume(self) -> None:
        """Begins to run tasks, those that earlier processes left included."""
        ...

    async def drain(self, timeout: float) -> None:
        """Takes no more tasks, lets those under way finish, cancels the rest after `timeout` seconds.

        What was cancelled is given back, its attempt not counted, so that another runner goes on at once. Nothing of
        the runner is left behind.
        """
        ...
