"""Virtual time passes only when it is told to or when everything waits; a hang is an error at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import anyio.to_thread
import pytest

from hosting.clock import TimeSource
from hosting.ids import IdSource
from hosting_testkit.clock import START, DeadlockError, VirtualClock, VirtualLoop, run_virtual, virtual_time
from hosting_testkit.ids import SequentialIds


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock()
    assert isinstance(clock, TimeSource)
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    clock.advance(90.5)
    assert (clock.now(), clock.monotonic()) == (START + 90.5, 90.5)


def test_skew_moves_the_wall_clock_alone() -> None:
    clock = VirtualClock(start=1000.0)
    clock.skew(-400)
    assert (clock.now(), clock.monotonic()) == (600.0, 0.0)


def test_time_never_runs_backwards() -> None:
    with pytest.raises(ValueError, match="runs forward"):
        VirtualClock().advance(-1)
    loop = VirtualLoop()
    with pytest.raises(ValueError, match="runs forward"):
        loop.advance(-1)
    loop.close()


@virtual_time
async def test_a_bound_clock_and_its_loop_move_together() -> None:
    clock = VirtualClock()
    clock.advance(5)
    await asyncio.sleep(7)
    clock.bind()
    assert clock.monotonic() == 5
    await asyncio.sleep(10)
    assert (clock.monotonic(), clock.now()) == (15, START + 15)
    clock.advance(100)
    assert asyncio.get_running_loop().time() == 117


async def test_a_clock_does_not_bind_to_a_loop_of_real_time() -> None:
    with pytest.raises(TypeError, match="run_virtual"):
        VirtualClock().bind()


def test_hours_of_sleep_cost_no_time_and_timers_fire_in_order() -> None:
    async def main(hours: int, *, step: int) -> list[float]:
        loop = asyncio.get_running_loop()

        async def after(seconds: float) -> float:
            await asyncio.sleep(seconds)
            return loop.time()

        return await asyncio.gather(*(after(hour * 3600) for hour in range(hours, 0, -step)))

    began = time.monotonic()
    assert run_virtual(main, 48, step=12) == [48 * 3600.0, 36 * 3600.0, 24 * 3600.0, 12 * 3600.0]
    assert time.monotonic() - began < 5


@virtual_time
async def test_timers_fire_after_years_too() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    for years in (1, 100):
        loop.advance(years * 365 * 86_400.0)
        begun = loop.time()
        await asyncio.wait_for(asyncio.sleep(5), 60)
        assert loop.time() - begun == pytest.approx(5)


@virtual_time
async def test_timeouts_are_virtual_too() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(86_400):
            await asyncio.get_running_loop().create_future()
    assert asyncio.get_running_loop().time() == pytest.approx(86_400)


@virtual_time
async def test_the_decorator_keeps_fixtures_and_runs_under_any_plugin(tmp_path: object) -> None:
    assert tmp_path
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)


def test_the_result_and_the_error_of_main_come_out() -> None:
    async def fails() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_virtual(fails)


def test_a_deadlock_names_every_task_and_the_innermost_line_where_it_waits() -> None:
    cleaned: list[str] = []

    async def stuck_generator() -> AsyncIterator[int]:
        await asyncio.get_running_loop().create_future()
        yield 1

    async def reader() -> None:
        async for _ in stuck_generator():
            pass

    async def main() -> None:
        lock = asyncio.Lock()
        await lock.acquire()
        other = asyncio.create_task(reader(), name="reader")
        try:
            await lock.acquire()
        finally:
            other.cancel()
            cleaned.append("main")

    with pytest.raises(DeadlockError) as found:
        run_virtual(main)
    text = str(found.value)
    assert "task 'reader'" in text
    assert (
        "in test_a_deadlock_names_every_task_and_the_innermost_line_where_it_waits.<locals>.stuck_generator"
        in text
    )
    assert "in Lock.acquire" in text
    assert cleaned == ["main"]


@virtual_time
async def test_a_job_in_an_executor_is_no_deadlock_and_stops_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    release = threading.Event()
    timer = asyncio.create_task(asyncio.sleep(60))
    threading.Timer(0.05, release.set).start()
    with ThreadPoolExecutor(1) as writer:
        assert await loop.run_in_executor(writer, release.wait, 10)
    assert loop.time() == 0
    assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
    await timer
    assert loop.time() == 60


@virtual_time
async def test_a_job_of_anyio_is_no_deadlock() -> None:
    release = threading.Event()
    threading.Timer(0.05, release.set).start()
    assert await anyio.to_thread.run_sync(release.wait, 10)


@virtual_time
async def test_virtual_time_waits_for_a_worker_with_a_limiter_of_its_own() -> None:
    release = threading.Event()
    threading.Timer(0.05, release.set).start()
    async with asyncio.timeout(1):
        assert await anyio.to_thread.run_sync(release.wait, 10, limiter=anyio.CapacityLimiter(1))


@virtual_time
async def test_a_thread_of_its_own_is_no_deadlock_while_it_is_named() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    woken = loop.create_future()
    with loop.outside("writer"):
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(woken.set_result, "row")).start()
        assert await woken == "row"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await loop.create_future()


def test_a_thread_that_never_answers_is_an_error_that_names_it() -> None:
    release = threading.Event()

    async def main(loop: VirtualLoop) -> None:
        with loop.outside("stuck writer"):
            await loop.create_future()

    loop = VirtualLoop(patience=0.01)
    with pytest.raises(DeadlockError, match=r"stuck writer did not finish in 0\.01 real seconds"):
        loop.run_until_complete(main(loop))
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    loop.close()
    release.set()


def test_sequential_ids_count_by_prefix_and_tokens_have_the_length_of_real_ones() -> None:
    ids = SequentialIds()
    assert isinstance(ids, IdSource)
    assert [ids.new("resp"), ids.new("msg"), ids.new("resp")] == ["resp_1", "msg_1", "resp_2"]
    first, second = ids.token(), ids.token()
    assert first != second
    assert len(first) * 4 >= 128
