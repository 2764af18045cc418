"""One life of the engine inside a host: its connections, its worker, and what it does not do by itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, cast

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker

from ...errors import ChannelConfigurationError
from ...state.errors import StateUnavailable
from ..handlers import Handlers
from ..policy import Random
from ..verdict import report_buried
from . import sql
from .fenced_jobs import AWAY, FencedJobManager
from .job import sealing_loads
from .performing import Performer, Strategy

_TRY_AGAIN = 1.0
_STOP_AGAIN = 0.1
_CONNECTIONS = 4
_PRUNE_EVERY = 60.0
_PRUNED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the engine works; times in seconds.

    Args:
        url: Its database.
        queue: The queue of our jobs.
        concurrency: Jobs at once.
        lease: How long a worker may be silent.
        poll: Between two looks for due jobs, where no notification came.
        keep: How long ended jobs are kept.
        apply_schema: Whether to make the engine's tables where there are none.
        connect_timeout: To wait for a connection.
    """

    url: str
    queue: str
    concurrency: int
    lease: float
    poll: float
    keep: float
    apply_schema: bool
    connect_timeout: float


class Engine:
    """From `resume` to the end of `drain`."""

    def __init__(
        self, settings: EngineSettings, handlers: Handlers, *, logger: logging.Logger, random: Random
    ) -> None:
        self._settings = settings
        self._log = logger
        self._connector = PsycopgConnector(
            conninfo=settings.url,
            json_loads=sealing_loads,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=settings.connect_timeout,
        )
        self._app = App(connector=self._connector)
        self._manager = FencedJobManager(
            self._connector, queue=settings.queue, known=set(handlers), logger=logger
        )
        self._app.job_manager = self._manager
        performer = Performer(handlers, logger=logger, random=random)

        async def perform(context: JobContext, /, **kwargs: Any) -> None:
            await performer(context, **kwargs)

        for name in handlers:
            self._app.task(name=name, queue=settings.queue, retry=Strategy(), pass_context=True)(perform)
        self._worker: Worker | None = None
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connects, and makes the tables where they are missing.

        Raises:
            StateUnavailable: The database cannot be reached.
            ChannelConfigurationError: It has no tables of the engine, or those of an older release.
        """
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                await self._app.open_async()
            await self._prepare()
        except (*AWAY, TimeoutError) as error:
            await self._app.close_async()
            raise _unavailable(error) from error
        except BaseException:
            await self._app.close_async()
            raise

    def begin(self) -> None:
        """Starts the worker, the rescue and the prune."""
        self._tasks = [
            asyncio.create_task(self._work(), name="hosting.procrastinate"),
            asyncio.create_task(self._tend(), name="hosting.procrastinate.rescue"),
        ]

    async def close(self, timeout: float) -> None:
        """Stops fetching, lets jobs finish for `timeout` seconds, gives the rest back, disconnects."""
        self._stopping = True
        if self._tasks:
            work, tend = self._tasks
            deadline = asyncio.get_running_loop().time() + timeout
            while not work.done():  # a stop before the worker's first step is lost
                if self._worker is not None:
                    self._worker.shutdown_graceful_timeout = timeout
                    self._worker.stop()
                await asyncio.wait([work], timeout=_STOP_AGAIN)
                if asyncio.get_running_loop().time() >= deadline:
                    self._manager.leave()
            tend.cancel()
            await asyncio.wait([tend])
        await self._app.close_async()

    async def query(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """Asks the engine's database.

        Raises:
            StateUnavailable: It does not answer.
        """
        try:
            return await self._connector.execute_query_all_async(cast("Any", query), **params)
        except AWAY as error:
            raise _unavailable(error) from error

    async def _prepare(self) -> None:
        async with self._connector.pool.connection() as connection:
            await connection.execute(sql.LOCK_SCHEMA)
            row = await (await connection.execute(sql.IS_THERE)).fetchone()
            if row is not None and not row[0]:
                if not self._settings.apply_schema:
                    raise _misconfigured(
                        "found no tables of procrastinate, expected them to be there because of apply_schema=False: run "
                        "`procrastinate schema --apply`"
                    )
                await connection.execute(SchemaManager.get_schema())
            missing = await (await connection.execute(cast("Any", sql.MISSING_FUNCTIONS))).fetchall()
            if missing:
                names = ", ".join(str(name) for (name,) in missing)
                raise _misconfigured(
                    f"found tables of an older procrastinate, without {names}: apply its migrations "
                    "(`procrastinate schema --migrations-path` says where they are)"
                )
            await connection.execute(sql.INDEX)

    async def _work(self) -> None:
        """Runs a worker; one that breaks, say because the server is away, is followed by another."""
        settings = self._settings
        while not self._stopping:
            self._worker = Worker(
                self._app,
                queues=[settings.queue],
                name="hosting",
                concurrency=settings.concurrency,
                fetch_job_polling_interval=settings.poll,
                abort_job_polling_interval=settings.poll,
                # Where it breaks: it has no heartbeat any more, so what it runs has to end before others take it.
                shutdown_graceful_timeout=settings.lease / 2,
                install_signal_handlers=False,
                update_heartbeat_interval=settings.lease / 3,
                stalled_worker_timeout=settings.lease,
            )
            try:
                await self._worker.run()
            except Exception as error:
                self._log.warning(
                    "the worker of the durable tasks stopped (%s); it starts again", _cause(error)
                )
            if not self._stopping:
                await asyncio.sleep(_TRY_AGAIN)

    async def _tend(self) -> None:
        """Rescues the jobs of silent workers; removes old ones. Every replica does; they pass each other by."""
        loop = asyncio.get_running_loop()
        next_prune = loop.time()
        while True:
            try:
                await self._rescue()
                if loop.time() >= next_prune and not await self._prune():
                    next_prune = loop.time() + _PRUNE_EVERY
            except StateUnavailable as error:
                self._log.warning("the jobs of silent workers could not be looked after (%s)", error)
            await asyncio.sleep(self._settings.lease / 3)

    async def _rescue(self) -> None:
        rows = await self.query(sql.RESCUE, queue=self._settings.queue, lease=self._settings.lease)
        for row in rows:
            task_id = row["task_id"] or f"of job {row['id']}"
            if row["verdict"] == "retry":
                self._log.warning(
                    "task %s (%s): its worker is gone; attempt %d has ended",
                    task_id,
                    row["task_name"],
                    row["attempts"],
                )
            else:
                report_buried(self._log, task_id, row["task_name"], row["verdict"], row["attempts"])

    async def _prune(self) -> bool:
        """Removes old jobs; True if there may be more."""
        settings = self._settings
        gone = await self.query(sql.PRUNE, queue=settings.queue, keep=settings.keep, limit=_PRUNED_AT_ONCE)
        return len(gone) == _PRUNED_AT_ONCE


def _unavailable(error: Exception) -> StateUnavailable:
    return StateUnavailable(f"the database of the durable tasks does not answer ({_cause(error)})")


def _cause(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__


def _misconfigured(message: str) -> ChannelConfigurationError:
    return ChannelConfigurationError(message, field="durable_task_runner")
