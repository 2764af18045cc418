"""The clock that a simulator takes if it is given none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from hosting.clock import TimeSource


def default_clock() -> TimeSource:
    """The virtual time of the running loop if it has one, else the machine's."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if isinstance(loop, VirtualLoop):
        from ...clock import VirtualClock

        return VirtualClock().bind(loop)
    from hosting.clock import SystemTime

    return SystemTime()
