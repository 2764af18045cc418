"""`ProcrastinateTaskRunner`: durable tasks that any replica can run (contract 11.5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import random as system_random
from typing import TYPE_CHECKING, Any

from ...errors import ChannelConfigurationError
from ...state.base import HostStateStore
from ...state.errors import StateUnavailable
from ...state.postgres import PostgresHostStateStore
from ...state.tables import procrastinate_jobs
from ..handlers import Handlers, check_name
from ..in_process import check_delay, unknown_task
from ..payload import DurableTaskPayloadMode, encode_payload
from ..policy import Random, RetryPolicy
from ..runner import PlannedTask, RunnerServices, TaskHandle, TaskHandler, TaskStatus
from ..trace import current_trace
from .installed import require_procrastinate

if TYPE_CHECKING:
    from .engine import Engine


class ProcrastinateTaskRunner:
    """Keeps tasks as jobs of procrastinate in the database of the host's PostgreSQL store; needs `hosting[procrastinate]`.

    A job is deferred in the same transaction as the turn that asks for it. Workers of all replicas fetch jobs; the jobs of
    one that died go on with another after `lease` seconds. Tools of procrastinate show them, under the names of their
    handlers.

    Args:
        url: The database of the host's store, reached directly: notifications do not come through a pooler that changes
            connections between transactions. Its `search_path` finds procrastinate's tables, as the store's does.
        queue: The queue of these jobs. Other workers on the database have to name other queues.
        concurrency: Tasks at once, in this process.
        lease: Seconds of silence after which a worker counts as dead.
        poll: Seconds between two looks for jobs that no notification announced: delayed, retried and rescued ones.
        keep: Seconds for which an ended task can be asked for.
        apply_schema: Whether to make procrastinate's tables where there are none. Upgrades are the operator's.
        connect_timeout: Seconds to wait for a connection.
        random: Source of the jitter of retries.

    Raises:
        ChannelConfigurationError: procrastinate is not installed.
        ValueError: A number or the queue makes no sense.
    """

    payload_mode = DurableTaskPayloadMode.JSON
    in_process = False

    def __init__(
        self,
        url: str,
        *,
        queue: str = "hosting",
        concurrency: int = 16,
        lease: float = 30.0,
        poll: float = 1.0,
        keep: float = 86_400.0,
        apply_schema: bool = True,
        connect_timeout: float = 10.0,
        random: Random = system_random,
    ) -> None:
        require_procrastinate()
        numbers = {
            "concurrency": concurrency,
            "lease": lease,
            "poll": poll,
            "keep": keep,
            "connect_timeout": connect_timeout,
        }
        for name, value in numbers.items():
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: found {value!r}, expected a positive number")
        self._url = url
        self._queue = check_name(queue)
        self._options: dict[str, Any] = {**numbers, "apply_schema": apply_schema}
        self._random = random
        self._handlers = Handlers()
        self._services: RunnerServices | None = None
        self._engine: Engine | None = None

    def describe(self) -> str:
        return f"procrastinate, queue {self._queue}"

    def bind(self, services: RunnerServices) -> None:
        if not isinstance(services.store, PostgresHostStateStore):
            raise ChannelConfigurationError(
                f"found procrastinate beside a store that is {services.store.describe()}, expected PostgreSQL: a task is "
                "scheduled in the store's own transaction. Give state='postgresql://...' of the same database, or leave "
                "durable_task_runner out.",
                field="durable_task_runner",
            )
        self._services = services

    def joins(self, store: HostStateStore) -> bool:
        return self._bound().store is store

    def register(
        self, name: str, handler: TaskHandler, *, decode: Callable[[Any], Any] | None = None
    ) -> None:
        self._handlers.register(name, handler, decode)

    def plan(
        self,
        name: str,
        payload: Any,
        *,
        retry_policy: RetryPolicy | None = None,
        key: str | None = None,
        delay: float | None = None,
    ) -> PlannedTask:
        from .job import JobArguments

        handle = TaskHandle(self._bound().ids.new("task"), check_name(name))
        arguments = JobArguments(
            task_id=handle.task_id,
            payload=encode_payload(payload),
            policy=retry_policy or RetryPolicy(),
            trace=current_trace(),
            key=key,
        )
        deferred = procrastinate_jobs.defer_job(
            queue=self._queue,
            name=name,
            lock=None if key is None else f"{self._queue}:{key}",
            args=arguments.to_json(),
            delay_ms=int(check_delay(delay) * 1000),
        )
        return PlannedTask(handle, (deferred,))

    async def schedule(
        self,
        name: str,
        payload: Any,
        *,
        retry_policy: RetryPolicy | None = None,
        key: str | None = None,
        delay: float | None = None,
    ) -> TaskHandle:
        planned = self.plan(name, payload, retry_policy=retry_policy, key=key, delay=delay)
        await self._bound().store.execute(*planned.statements)
        return planned.handle

    def wake(self) -> None:
        """The engine's own notification does this."""

    async def get(self, handle: TaskHandle) -> TaskStatus:
        from . import sql
        from .job import STATUSES

        rows = await self._running().query(sql.FIND, task_id=handle.task_id, queue=self._queue)
        if not rows:
            raise unknown_task()
        return STATUSES[rows[0]["status"]]

    async def cancel(self, handle: TaskHandle) -> bool:
        from . import sql

        rows = await self._running().query(sql.CANCEL, task_id=handle.task_id, queue=self._queue)
        if not rows:
            raise unknown_task()
        return bool(rows[0]["was_open"])

    async def resume(self) -> None:
        from .engine import Engine, EngineSettings

        if self._engine is not None:
            return
        services = self._bound()
        settings = EngineSettings(url=self._url, queue=self._queue, **self._options)
        engine = Engine(settings, self._handlers, logger=services.logger, random=self._random)
        await engine.open()
        try:
            await self._check_place(engine)
        except BaseException:
            await engine.close(0)
            raise
        engine.begin()
        self._handlers.close()
        self._engine = engine

    async def drain(self, timeout: float) -> None:
        if self._engine is None:
            return
        await self._engine.close(timeout)
        self._engine = None
        self._handlers.reopen()

    async def _check_place(self, engine: Engine) -> None:
        """What the store defers has to be what the worker fetches."""
        from . import sql

        (rows,) = await self._bound().store.execute(procrastinate_jobs.locate_jobs())
        ours = procrastinate_jobs.read_place(rows)
        theirs = (await engine.query(sql.LOCATE))[0]["place"]
        if ours != theirs:
            raise ChannelConfigurationError(
                f"found procrastinate's jobs in {theirs!r} by its url and in {ours!r} by the host's store, expected one "
                "table: give both the same database and search_path",
                field="durable_task_runner",
            )

    def _bound(self) -> RunnerServices:
        if self._services is None:
            raise RuntimeError(
                "found a runner without a host: give it to AgentFrameworkHost(durable_task_runner=...), or call bind()"
            )
        return self._services

    def _running(self) -> Engine:
        if self._engine is None:
            raise StateUnavailable(
                "the durable task runner is not running: call resume() first", retry_after=1.0
            )
        return self._engine
