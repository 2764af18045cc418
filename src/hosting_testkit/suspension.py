"""Where a suspended task stands, down to the innermost await."""

from __future__ import annotations

import asyncio
import gc
import inspect
from types import FrameType
from typing import Any


def suspended_at(task: asyncio.Task[Any]) -> tuple[str, ...]:
    """Positions `file:line in function`, outermost first; unlike `Task.get_stack` it follows every await."""
    return positions_of(task.get_coro())


def positions_of(step: object | None) -> tuple[str, ...]:
    """The same of a coroutine or generator that is suspended."""
    positions: list[str] = []
    while step is not None:
        frame = _first(step, "cr_frame", "gi_frame", "ag_frame")
        if isinstance(frame, FrameType):
            positions.append(f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}")
        step = _first(step, "cr_await", "gi_yieldfrom", "ag_await") or _hidden(step)
    return tuple(positions)


def _first(step: object, *names: str) -> object | None:
    return next((value for name in names if (value := getattr(step, name, None)) is not None), None)


def _hidden(step: object) -> object | None:
    """What an awaitable stands for that does not name it: `async for` awaits an object that only the collector can
    look into, and `SteppedTasks` drives its coroutine by hand."""
    driven = getattr(getattr(step, "gi_frame", None), "f_locals", {}).get("driven_coroutine")
    if driven is not None:
        return driven
    if inspect.isawaitable(step) and not hasattr(step, "cr_frame") and not isinstance(step, asyncio.Future):
        return next((found for found in gc.get_referents(step) if inspect.isasyncgen(found)), None)
    return None
