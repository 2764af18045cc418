"""The same thing many times in a row, so that what each of them keeps a little of runs out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MANY = 130
"""More than the numbers of slots and connections that people set aside: 16, 64, 100, 128."""

_SOON = 10.0


async def times(one: Callable[[int], Awaitable[bool]]) -> int:
    """Does something `MANY` times at most, one after the other; how often it succeeded until it did not, or got stuck."""
    for number in range(MANY):
        try:
            async with asyncio.timeout(_SOON):
                if not await one(number):
                    return number
        except TimeoutError:
            return number
    return MANY
