"""How the engine's worker gets jobs and stores their ends: none is overlooked, none ends twice (decision S2)."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Container, Iterable
from typing import Any

import psycopg
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback

from . import sql

AWAY = (ConnectorException, psycopg.Error)
"""What the engine's connection raises where the server does not answer."""

_TRY_AGAIN = 1.0
"""Seconds until the end of a job is stored again."""

GIVEN_BACK = datetime.datetime.min.replace(tzinfo=datetime.UTC)
"""As the time of a retry: at once, and without counting the attempt that a drain cut off."""


class FencedJobManager(JobManager):
    """The engine's manager, but a worker that was overtaken changes nothing.

    Args:
        connector: The engine's connection.
        queue: The queue of our jobs.
        known: Names that have a handler; the end of a job without one is reported here, for no handler of ours ran.
        logger: Told of ends that did not count.
    """

    def __init__(
        self, connector: BaseConnector, *, queue: str, known: Container[str], logger: logging.Logger
    ) -> None:
        super().__init__(connector)
        self._queue = queue
        self._known = known
        self._log = logger
        self._leaving = False
        self._announced = 0

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The worker forgets what was announced while it fetched; then it would wait for its next poll."""
        while True:
            announced = self._announced
            job = await super().fetch_job(queues, worker_id)
            if job is not None or self._announced == announced:
                return job

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        async def count(*, channel: str, notification: Notification) -> None:
            self._announced += 1
            await on_notification(channel=channel, notification=notification)

        await super().listen_for_jobs(on_notification=count, queues=queues)

    def leave(self) -> None:
        """From now on a server that is away is not waited for."""
        self._leaving = True

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        if status is Status.FAILED and job.task_name not in self._known:
            self._log.error(
                "task %s (%s) is dead: no handler of that name is registered here",
                _name_of(job),
                job.task_name,
            )
        await self._change(sql.FINISH, job, queue=self._queue, status=status.value)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        if retry_at == GIVEN_BACK:
            await self._change(sql.GIVE_BACK, job, queue=self._queue)
        else:
            await self._change(sql.RETRY, job, retry_at=retry_at or datetime.datetime.now(datetime.UTC))

    async def _change(self, query: Any, job: Job, **params: Any) -> None:
        """Again and again while the server is away: nobody rescues a job that ended under a worker that lives."""
        fence = {"job_id": job.id, "worker_id": job.worker_id, "attempts": job.attempts}
        failed = False
        while True:
            try:
                changed = await self.connector.execute_query_all_async(query, **fence, **params)
                break
            except AWAY:
                if self._leaving:
                    raise
                failed = True
                await asyncio.sleep(_TRY_AGAIN)
        if (
            not changed and not failed
        ):  # after a failure it may have been changed by the try whose answer was lost
            self._log.warning(
                "task %s (%s): this end does not count, another worker has it now",
                _name_of(job),
                job.task_name,
            )


def _name_of(job: Job) -> str:
    return str(job.task_kwargs.get("task_id", f"of job {job.id}"))
