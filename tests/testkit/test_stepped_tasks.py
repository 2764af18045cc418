"""Tasks whose suspension points are counted, and that are cancelled at one of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator

import pytest

from hosting_testkit import virtual_time
from hosting_testkit.stepped_tasks import SteppedTasks, SuspensionPoint
from hosting_testkit.suspension import suspended_at


async def _pause(times: int, seen: list[str] | None = None) -> str:
    try:
        for _ in range(times):
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        if seen is not None:
            seen.append("cancelled")
        await asyncio.sleep(0)
        raise
    return "done"


def _functions(where: tuple[str, ...]) -> list[str]:
    return [position.rpartition(" ")[2] for position in where]


@virtual_time
async def test_each_suspension_is_a_point_with_its_place() -> None:
    with SteppedTasks() as tasks:
        assert await asyncio.create_task(_pause(2), name="paused") == "done"
    (made,) = tasks.made
    assert made.name == "paused"
    assert [(point.task, point.step) for point in made.points] == [(0, 1), (0, 2)]
    assert _functions(made.points[0].where)[:2] == ["_pause", "sleep"]
    assert (made.cancelled, made.steps_after_cancel, tasks.cancelled) == (None, 0, None)


@virtual_time
async def test_a_task_knows_the_counted_task_that_made_it() -> None:
    async def outer() -> None:
        await asyncio.create_task(_pause(1))

    with SteppedTasks() as tasks:
        await asyncio.create_task(outer())
    assert [task.creator for task in tasks.made] == [None, tasks.made[0]]
    assert tasks.of(tasks.made[1].handle) is tasks.made[1]
    assert tasks.of(asyncio.current_task()) is None
    assert tasks.of(None) is None


@pytest.mark.parametrize("step", [1, 2, 3])
@virtual_time
async def test_a_task_is_cancelled_exactly_where_it_was_asked_for(step: int) -> None:
    seen: list[str] = []
    with SteppedTasks(cancel=SuspensionPoint(1, step)) as tasks:
        both = [asyncio.create_task(_pause(3)), asyncio.create_task(_pause(3, seen))]
        await asyncio.wait(both)
    assert both[0].result() == "done"
    assert both[1].cancelled()
    assert seen == ["cancelled"]
    hit = tasks.cancelled
    assert hit is tasks.made[1]
    assert (hit.cancelled, hit.steps_after_cancel) == (step, 1)


@virtual_time
async def test_a_task_that_waits_for_a_future_is_cancelled_with_it() -> None:
    waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await waited

    with SteppedTasks(cancel=SuspensionPoint(0, 1)):
        await asyncio.wait([asyncio.create_task(wait())])
    assert waited.cancelled()


@virtual_time
async def test_a_task_that_never_begins_is_cancelled_without_a_warning() -> None:
    seen: list[str] = []
    with SteppedTasks(cancel=SuspensionPoint(0, 0)) as tasks:
        task = asyncio.create_task(_pause(1, seen))
        await asyncio.wait([task])
    assert task.cancelled()
    assert (seen, tasks.made[0].points) == ([], [])
    gc.collect()


@virtual_time
async def test_a_second_cancellation_comes_where_the_clean_up_waits() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for number in range(3):
                await asyncio.sleep(0)
                cleaned.append(str(number))

    with SteppedTasks(cancel=SuspensionPoint(0, 1), again=2) as tasks:
        await asyncio.wait([asyncio.create_task(work())])
    assert cleaned == ["0"]
    assert tasks.made[0].steps_after_cancel == 2


@virtual_time
async def test_values_and_errors_pass_as_in_any_task() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("as it is")

    async def handle() -> str:
        try:
            async with asyncio.timeout(1):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "not timed out"

    with SteppedTasks():
        with pytest.raises(ValueError, match="as it is"):
            await asyncio.create_task(fail())
        assert await asyncio.create_task(handle()) == "timed out"


@virtual_time
async def test_the_loop_is_as_it_was_afterwards() -> None:
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, coroutine: object, **options: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.Task(coroutine, loop=loop, **options)  # type: ignore[arg-type]
        made.append("task")
        return task

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)  # type: ignore[arg-type]
    with SteppedTasks() as tasks:
        await asyncio.create_task(_pause(1))
    assert loop.get_task_factory() is factory
    assert (len(tasks.made), made) == (1, ["task"])


@virtual_time
async def test_places_are_found_through_tasks_loops_and_generators() -> None:
    async def numbers() -> AsyncGenerator[int]:
        await asyncio.Event().wait()
        yield 1

    async def read() -> None:
        async for _ in numbers():
            pass

    plain = asyncio.create_task(read())
    with SteppedTasks() as tasks:
        counted = asyncio.create_task(read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    expected = ["read", "numbers", "wait"]
    assert [name.rpartition(".")[2] for name in _functions(suspended_at(plain))] == expected
    assert [name.rpartition(".")[2] for name in _functions(suspended_at(counted))][-3:] == expected
    assert [name.rpartition(".")[2] for name in _functions(tasks.made[0].points[0].where)] == expected
    for task in (plain, counted):
        task.cancel()
        await asyncio.wait([task])
