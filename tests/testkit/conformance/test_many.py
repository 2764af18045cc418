"""Things that are done many times in a row."""

from __future__ import annotations

import asyncio

from hosting_testkit import virtual_time
from hosting_testkit.conformance.many import MANY, times


@virtual_time
async def test_the_times_are_counted_until_one_fails_or_is_stuck() -> None:
    slots = asyncio.Semaphore(16)

    async def done(number: int) -> bool:
        return True

    async def failing(number: int) -> bool:
        return number < 7

    async def kept(number: int) -> bool:
        return await slots.acquire()

    assert [await times(one) for one in (done, failing, kept)] == [MANY, 7, 16]
