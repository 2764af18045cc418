"""What is told when a test waits in vain: what the bot did, and where tasks stand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio
import httpx
import starlette

from ...suspension import suspended_at
from .app import Call

_MOST = 12
_HOME = Path(__file__).parents[3]
_NOT_THE_AUTHORS = (
    *(f"{_HOME / name}/" for name in ("hosting", "hosting_testkit")),
    *(f"{Path(str(library.__file__)).parent}/" for library in (asyncio, anyio, httpx, starlette)),
)


def standstill(seconds: float, calls: Sequence[Call], waiting: int) -> str:
    """What a wait of so many seconds saw.

    Args:
        seconds: How long it was.
        calls: The bot's calls.
        waiting: How many updates the bot has not confirmed.
    """
    made = Counter(f"{call.method} -> {call.status}{f' {call.code}' if call.code else ''}" for call in calls)
    lines = [
        f"found the condition still false after {seconds:g} s, expected the bot to make it true",
        f"  updates that it has not confirmed: {waiting}",
        f"  its calls: {', '.join(f'{number} x {what}' for what, number in made.items()) or 'none'}",
    ]
    return "\n".join([*lines, *list(_tasks())[:_MOST]])


def _tasks() -> Iterator[str]:
    """Where the others wait, at the innermost line of the author's own."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in sorted(others, key=lambda task: task.get_name()):
        own = [place for place in suspended_at(task) if not place.startswith(_NOT_THE_AUTHORS)]
        if own:
            yield f"  task {task.get_name()!r} waits at {own[-1]}"
