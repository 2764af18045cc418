"""The embedded runner: tasks on the host's loop, over the host's store (contract 11.3, decision S2)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from random import random as system_random
from typing import Any

from ..clock import epoch_ms
from ..errors import UnknownReference
from ..state.base import HostStateStore, Statement
from ..state.signals import StoreSignals, signal
from ..state.tables import tasks
from .attempt import TOPIC, AttemptServices
from .handlers import Handlers, check_name
from .keeper import Keeper, KeeperSettings
from .payload import DurableTaskPayloadMode, encode_payload
from .policy import Random, RetryPolicy
from .runner import PlannedTask, RunnerServices, TaskHandle, TaskHandler, TaskStatus
from .trace import current_trace

_POLL = 1.0
_LOOK = 5.0
_LONGEST_DELAY = 1_000_000_000


class InProcessTaskRunner:
    """Keeps tasks in a table of the state store and runs them on the host's event loop.

    Several processes on one store share the work: a task is run by the one that claims it, under a lease; when that one
    dies, another takes over at the end of the lease. A handler that blocks the loop for longer than the lease loses its
    task to another process, or runs it twice.

    Args:
        store: A store for the tasks alone, which the runner opens and closes. By default the host's own, where a task
            can be scheduled in the same transaction as a turn.
        concurrency: Tasks at once.
        lease: Seconds until others take over from a runner that has died.
        poll: Seconds between two looks for what other processes scheduled. By default one second; five where an
            operator's command is the only other process that can be on the store; none in memory.
        keep: Seconds for which an ended task can be asked for.
        random: Source of the jitter of retries.
    """

    payload_mode = DurableTaskPayloadMode.JSON
    in_process = True

    def __init__(
        self,
        store: HostStateStore | None = None,
        *,
        concurrency: int = 16,
        lease: float = 15.0,
        poll: float | None = None,
        keep: float = 86_400.0,
        random: Random = system_random,
    ) -> None:
        for name, value in (("concurrency", concurrency), ("lease", lease), ("poll", poll), ("keep", keep)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: found {value!r}, expected a positive number")
        self._own_store = store
        self._concurrency = concurrency
        self._lease = lease
        self._poll = poll
        self._keep_ms = int(keep * 1000)
        self._random = random
        self._handlers = Handlers()
        self._services: RunnerServices | None = None
        self._keeper: Keeper | None = None

    def describe(self) -> str:
        return "in process" if self._own_store is None else f"in process, over {self._own_store.describe()}"

    def bind(self, services: RunnerServices) -> None:
        if self._own_store is not None:
            services = RunnerServices(
                store=self._own_store, clock=services.clock, ids=services.ids, logger=services.logger
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
        services = self._bound()
        policy = retry_policy or RetryPolicy()
        now = epoch_ms(services.clock)
        handle = TaskHandle(services.ids.new("task"), check_name(name))
        added = tasks.add_task(
            id=handle.task_id,
            name=name,
            payload=encode_payload(payload),
            trace=current_trace(),
            order_key=key,
            policy=json.dumps(policy.to_dict()),
            max_attempts=policy.max_attempts,
            due_ms=now + int(check_delay(delay) * 1000),
            now_ms=now,
        )
        return PlannedTask(handle, (added, *self._signal()))

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
        self.wake()
        return planned.handle

    def wake(self) -> None:
        if self._keeper is not None:
            self._keeper.wake()

    async def get(self, handle: TaskHandle) -> TaskStatus:
        (rows,) = await self._bound().store.execute(tasks.load_task(handle.task_id))
        task = tasks.read_task(rows)
        if task is None:
            raise unknown_task()
        return task.state

    async def cancel(self, handle: TaskHandle) -> bool:
        services = self._bound()
        now = epoch_ms(services.clock)
        changed, found, *_ = await services.store.execute(
            tasks.cancel_task(handle.task_id, now_ms=now, expires_ms=now + self._keep_ms),
            tasks.load_task(handle.task_id),
            *self._signal(),
        )
        if not found:
            raise unknown_task()
        if self._keeper is not None:
            self._keeper.cancel(handle.task_id)
            self._keeper.wake()
        return bool(changed)

    async def resume(self) -> None:
        if self._keeper is not None:
            return
        services = self._bound()
        if self._own_store is not None:
            await self._own_store.open()
        keeper = Keeper(
            AttemptServices(services, self._handlers, self._random, self._keep_ms),
            KeeperSettings(
                concurrency=self._concurrency,
                lease_ms=int(self._lease * 1000),
                alone=self._poll is None and _is_alone(services.store),
                poll=self._poll or _poll_of(services.store),
            ),
        )
        await keeper.begin()
        self._handlers.close()
        self._keeper = keeper

    async def drain(self, timeout: float) -> None:
        if self._keeper is None:
            return
        await self._keeper.drain(timeout)
        self._keeper = None
        self._handlers.reopen()
        if self._own_store is not None:
            await self._own_store.close()

    def _bound(self) -> RunnerServices:
        if self._services is None:
            raise RuntimeError(
                "found a runner without a host: give it to AgentFrameworkHost(durable_task_runner=...), or call bind()"
            )
        return self._services

    def _signal(self) -> tuple[Statement, ...]:
        return (signal(TOPIC),) if isinstance(self._bound().store, StoreSignals) else ()


def _is_alone(store: HostStateStore) -> bool:
    return bool(getattr(store, "exclusive", not store.durable))


def _poll_of(store: HostStateStore) -> float | None:
    if not store.durable:
        return None
    return _LOOK if _is_alone(store) else _POLL


def check_delay(delay: float | None) -> float:
    """`delay` in seconds, 0 for None; raises `ValueError` where it makes no sense."""
    if delay is None:
        return 0.0
    if not 0 <= delay <= _LONGEST_DELAY:
        raise ValueError(f"delay: found {delay!r}, expected 0 to {_LONGEST_DELAY} seconds")
    return delay


def unknown_task() -> UnknownReference:
    """What asking for a task that is not there raises."""
    return UnknownReference("There is no such task, or it ended long ago.")
