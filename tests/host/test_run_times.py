"""The time limit of runs (contract 16.1): one timer serves them all."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar

import pytest

from hosting import RunTimeout
from hosting.turn.run_times import RunTimes
from hosting_testkit import virtual_time


class Held:
    """Stands in a context as a turn does."""


held: ContextVar[Held] = ContextVar("held")


async def ended_at(times: RunTimes, begin: float) -> float:
    """Begins a run that has no end of its own; when it was cut short."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begin)
    with pytest.raises(RunTimeout), times.watch():
        await asyncio.Event().wait()
    return loop.time()


@virtual_time
async def test_each_run_ends_at_its_own_time() -> None:
    times, start = RunTimes(30), asyncio.get_running_loop().time()
    ends = await asyncio.gather(*(ended_at(times, begin) for begin in (0, 10, 29, 100)))
    assert [round(end - start, 3) for end in ends] == [30, 40, 59, 130]


@virtual_time
async def test_a_run_that_ended_leaves_the_time_of_others_alone() -> None:
    times, start = RunTimes(30), asyncio.get_running_loop().time()
    with times.watch():
        await asyncio.sleep(20)
    assert round(await ended_at(times, 0) - start, 3) == 50


@virtual_time
async def test_a_cancellation_from_elsewhere_goes_on() -> None:
    task = asyncio.create_task(ended_at(RunTimes(30), 0))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_the_timer_keeps_no_run_alive() -> None:
    times = RunTimes(30)

    async def short() -> weakref.ref[Held]:
        thing = Held()
        held.set(thing)
        with times.watch():
            return weakref.ref(thing)

    gc.disable()
    try:
        thing = await asyncio.create_task(short())
        await asyncio.sleep(0)  # lets go of the task
        assert thing() is None
    finally:
        gc.enable()


def test_a_host_that_starts_again_on_another_loop_still_has_limits() -> None:
    times = RunTimes(30)
    first = asyncio.new_event_loop()
    first.run_until_complete(bounded(times))
    first.close()
    assert virtual_time(ended_at)(times, 0) >= 30


async def bounded(times: RunTimes) -> None:
    with times.watch():
        pass
