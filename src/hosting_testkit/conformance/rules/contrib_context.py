"""HC-CONTRIB: a channel works through its context alone."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

from ...targets.echo import Echo
from ..census import application_tasks
from ..kit import Kit
from ..registry import rule

_SPAWNED = "hosting."
"""What the names of the host's tasks begin with, those of `context.spawn` among them."""


@rule(
    "HC-CONTRIB-007",
    why="a run or a task behind the host's back is not counted, not bounded and not stopped in order",
)
async def the_context_is_the_only_way(k: Kit) -> None:
    """Each run knows its turn; the tasks of the channel, and those that a request left, belong to the host."""
    before = application_tasks()
    async with k.host(Echo()) as h:
        started = application_tasks() - before
        for said in (k.nonce(), k.nonce()):
            reply = await h.turn(said)
            k.control(bool(h.runs), "an ordinary turn reaches the target", observed=reply.status)
        unknown = [run.text for run in h.runs if run.hosting.get("channel") != h.env.name]
        k.equal("runs of the target that no turn of the host made", unknown, [])
        left = application_tasks() - before - started
        folders = _folders(type(k.build(k.driver())))
        own = {task for task in started if _source(task).parent in folders}
        foreign = sorted(task.get_name() for task in left | own if not task.get_name().startswith(_SPAWNED))
        k.equal("tasks that were not made with spawn", foreign, [])


def _folders(kind: type[Any]) -> set[Path]:
    """Where the channel's classes are written."""
    files = (
        inspect.getsourcefile(one) for one in kind.__mro__ if one.__module__ not in ("builtins", "typing")
    )
    return {Path(file).parent for file in files if file}


def _source(task: asyncio.Task[Any]) -> Path:
    """The file of the coroutine that a task runs."""
    code = getattr(task.get_coro(), "cr_code", None)
    return Path(code.co_filename) if code else Path()
