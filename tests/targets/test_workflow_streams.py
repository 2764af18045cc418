"""Who ends a workflow's stream, and how (contract 7.0, 7.5)."""

import asyncio
import gc

import pytest
from agent_framework import WorkflowBuilder

from hosting.targets.checkpoints import StagedCheckpointStorage
from hosting_testkit.targets import (
    Gates,
    Leak,
    Scripted,
    steps,
    workflow_failing,
    workflow_sequential,
    workflow_slow,
)
from tests.targets.workflow_session import Session, call, target


@pytest.fixture(autouse=True)
def _without_garbage_collection():
    gc.disable()
    yield
    gc.enable()


def other_tasks() -> set[asyncio.Task]:
    return asyncio.all_tasks() - {asyncio.current_task()}


class Reason(Exception):
    pass


async def test_an_abandoned_stream_leaves_no_task_and_no_open_agent():
    script = Scripted("one", steps.Stop("here"), "two")
    agent = Leak(script)
    served = target(lambda: WorkflowBuilder(name="w", start_executor=agent).build())
    storage = StagedCheckpointStorage()
    stream = served.stream(call("x", checkpoints=storage))
    assert (await anext(aiter(stream))).text == "one"
    assert other_tasks()

    await stream.abandon(Reason())

    assert not other_tasks()
    assert [watched.running for watched in agent.streams] == [False]
    assert storage.last is None or storage.last.messages
    with pytest.raises(RuntimeError, match="not read to its end"):
        await stream.final()


async def test_a_stream_that_was_never_read_runs_nothing():
    agent = Leak()
    stream = target(lambda: WorkflowBuilder(name="w", start_executor=agent).build()).stream(call("x"))

    await stream.abandon(Reason())

    assert agent.streams == []
    assert [update async for update in stream] == []


async def test_a_stream_cancelled_while_it_waits_leaves_no_task():
    gates = Gates()
    session = Session(target(lambda: workflow_slow(gates)))
    reading = asyncio.create_task(session.streamed("x"))
    await gates.reached("x")

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert not other_tasks()
    assert session.text is None


async def test_a_one_shot_run_cancelled_while_it_waits_leaves_no_task():
    gates = Gates()
    running = asyncio.create_task(target(lambda: workflow_slow(gates)).run(call("x")))
    await gates.reached("x")

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not other_tasks()


async def test_a_run_that_waits_for_an_agent_can_be_cancelled_and_abandoned():
    script = Scripted("one", steps.Stop("here"), "two")
    agent = Leak(script)
    stream = target(lambda: WorkflowBuilder(name="w", start_executor=agent).build()).stream(call("x"))

    async def read():
        try:
            async for _ in stream:
                pass
        except BaseException as exc:
            await stream.abandon(exc)
            raise

    reading = asyncio.create_task(read())
    await script.gates.reached("here")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert not other_tasks()
    assert [watched.running for watched in agent.streams] == [False]


async def test_a_failure_comes_out_of_the_stream_as_it_is_after_what_was_said():
    stream = target(lambda: workflow_failing(LookupError("broken"))).stream(call("x"))
    updates = aiter(stream)
    assert (await anext(updates)).text == "x"

    with pytest.raises(LookupError, match="broken") as failure:
        await anext(updates)
    await stream.abandon(failure.value)

    assert not other_tasks()


async def test_a_stream_read_to_its_end_leaves_no_task():
    session = Session(target(workflow_sequential))

    updates, _ = await session.streamed("x")
    await session.streamed("y")

    assert updates
    assert not other_tasks()
