"""The watchdog names what blocks a loop, and nothing else."""

from __future__ import annotations

import asyncio
import time

from hosting_testkit import virtual_time
from hosting_testkit.watchdog import Blocked, watched_loop

CAP = 0.05


def block(blocked: list[Blocked]) -> None:
    """Blocks until the watchdog has noted it, however long the machine takes to get there, and some time more."""
    expected = len(blocked) + 1
    while len(blocked) < expected:
        time.sleep(4 * CAP)
    time.sleep(4 * CAP)


def burn(blocked: list[Blocked]) -> None:
    """The same, by computing."""
    while not blocked:
        sum(range(100))


@virtual_time
async def test_a_call_that_waits_is_named_with_its_line() -> None:
    with watched_loop(CAP) as blocked:
        await asyncio.sleep(0)
        block(blocked)
        await asyncio.sleep(0)
    (place,) = blocked
    assert (place.file, place.function) == ("testkit/test_watchdog.py", "block")
    assert str(place).endswith("in block: time.sleep(4 * CAP)")


@virtual_time
async def test_a_call_that_computes_is_named_too() -> None:
    with watched_loop(CAP) as blocked:
        burn(blocked)
        await asyncio.sleep(0)
    assert [place.function for place in blocked] == ["burn"]


@virtual_time
async def test_waiting_in_the_loop_is_no_blocking() -> None:
    with watched_loop(4 * CAP) as blocked:
        for _ in range(50):
            await asyncio.sleep(1)
    assert blocked == []


async def test_it_works_on_an_ordinary_loop() -> None:
    with watched_loop(CAP) as blocked:
        block(blocked)
        await asyncio.sleep(0)
    assert [place.function for place in blocked] == ["block"]


@virtual_time
async def test_each_time_is_noted_once() -> None:
    with watched_loop(CAP) as blocked:
        for _ in range(2):
            block(blocked)
            await asyncio.sleep(0)
            await asyncio.to_thread(time.sleep, CAP)
    assert [place.function for place in blocked] == ["block", "block"]
