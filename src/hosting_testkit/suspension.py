"""Where a suspended task stands, down to the innermost await."""

from __future__ import annotations

import asyncio
import gc
import inspect
from types import FrameType
from typing import Any


def suspended_at(task: asyncio.Task[Any]) -> tuple[str, ...]:
    """Positions `file:line in function`, outermost first; unlike `Task.get_stack` it follows every await."""
    positions: list[str] = []
    step: object | None = task.get_coro()
    while step is not None:
        frame = _first(step, "cr_frame", "gi_frame", "ag_frame")
        if isinstance(frame, FrameType):
            positions.append(f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}")
        step = _first(step, "cr_await", "gi_yieldfrom", "ag_await") or _hidden_generator(step)
    return tuple(positions)


def _first(step: object, *names: str) -> object | None:
    return next((value for name in names if (value := getattr(step, name, None)) is not None), None)


def _hidden_generator(step: object) -> object | None:
    """`async for` awaits an object that does not name its generator; only the collector knows it."""
    if inspect.isawaitable(step) and not hasattr(step, "cr_frame") and not isinstance(step, asyncio.Future):
        return next((found for found in gc.get_referents(step) if inspect.isasyncgen(found)), None)
    return None
