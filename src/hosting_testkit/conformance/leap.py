"""Long spans of virtual time, passed at once."""

from __future__ import annotations

import asyncio

from ..clock import VirtualLoop

_SETTLING = 5.0


async def leap(seconds: float) -> None:
    """The clock jumps, past whatever was to happen in between; then what has become due comes to rest."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.advance(seconds)
    await asyncio.sleep(_SETTLING)
