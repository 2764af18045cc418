"""The inside of a process that the suite kills while it runs a task."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from hosting.durable import DurableTaskRunner, RetryPolicy, TaskContext


async def serve(runner: DurableTaskRunner, max_attempts: int) -> None:
    """Schedules one task and runs it for ever; says so, line by line, to whoever started the process.

    Args:
        runner: Bound to the same back end as the suite's runners, with `harness.lease`.
        max_attempts: The last argument of the process's command.
    """
    told = asyncio.Event()

    async def hang(payload: Any, context: TaskContext) -> None:
        await told.wait()
        _say(f"began {context.attempt}")
        await asyncio.Event().wait()

    runner.register("hang", hang)
    await runner.resume()
    policy = RetryPolicy(max_attempts=max_attempts)
    handle = await runner.schedule("hang", "to be killed", key="k", retry_policy=policy)
    _say(f"scheduled {handle.task_id}")
    told.set()
    await asyncio.Event().wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
