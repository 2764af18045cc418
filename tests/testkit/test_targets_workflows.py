"""The workflows do what their names say, under stable names, in both run modes (contract 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from agent_framework import AgentResponseUpdate, InMemoryCheckpointStorage, Workflow

from hosting_testkit.targets import (
    Counting,
    Echo,
    Gates,
    Order,
    Question,
    Receipt,
    Scripted,
    steps,
    workflow_concurrent,
    workflow_echo,
    workflow_failing,
    workflow_multi,
    workflow_pending,
    workflow_sequential,
    workflow_slow,
    workflow_typed,
)

FACTORIES: dict[str, Callable[[], Workflow]] = {
    "workflow-concurrent": workflow_concurrent,
    "workflow-echo": workflow_echo,
    "workflow-failing": workflow_failing,
    "workflow-multi": workflow_multi,
    "workflow-pending": workflow_pending,
    "workflow-sequential": workflow_sequential,
    "workflow-slow": lambda: workflow_slow(Gates()),
    "workflow-typed": workflow_typed,
}


@pytest.mark.parametrize("name", FACTORIES)
def test_each_factory_gives_a_fresh_workflow_of_the_same_name_and_graph(name: str) -> None:
    first, second = FACTORIES[name](), FACTORIES[name]()
    assert first is not second
    assert first.name == second.name == name
    assert first.graph_signature_hash == second.graph_signature_hash


@pytest.mark.parametrize(
    ("factory", "message", "outputs"),
    [
        (workflow_echo, "hi", ["hi"]),
        (workflow_typed, Order("tea", 2), [Receipt("tea", 2, "2-tea")]),
        (workflow_multi, "x", ["first x", "second x", "third x"]),
        (workflow_concurrent, "hi", ["first: hi | second: hi"]),
    ],
)
async def test_outputs_are_the_same_one_shot_and_streamed(
    factory: Callable[[], Workflow], message: Any, outputs: list[Any]
) -> None:
    assert (await factory().run(message)).get_outputs() == outputs
    events = [event async for event in factory().run(message, stream=True)]
    assert [event.data for event in events if event.type == "output"] == outputs


async def test_a_typed_workflow_takes_no_text() -> None:
    assert workflow_typed().input_types == [Order]
    with pytest.raises(RuntimeError, match="cannot handle input of type 'str'"):
        await workflow_typed().run("tea")


async def test_a_pending_workflow_asks_and_answers_on_another_instance() -> None:
    storage = InMemoryCheckpointStorage()
    asked = await workflow_pending().run("colour", checkpoint_storage=storage)
    (request,) = asked.get_request_info_events()
    assert (request.data, request.response_type) == (Question("colour"), str)
    assert asked.get_outputs() == []
    checkpoint = await storage.get_latest(workflow_name="workflow-pending")
    assert checkpoint is not None
    answered = await workflow_pending().run(
        checkpoint_id=checkpoint.checkpoint_id,
        checkpoint_storage=storage,
        responses={request.request_id: "red"},
    )
    assert answered.get_outputs() == ["colour: red"]


async def test_a_failing_workflow_fails_after_its_first_output() -> None:
    outputs: list[Any] = []

    async def read() -> None:
        async for event in workflow_failing(OSError("disk")).run("x", stream=True):
            outputs.extend([event.data] if event.type == "output" else [])

    with pytest.raises(OSError, match="disk"):
        await read()
    assert outputs == ["x"]


async def test_a_slow_workflow_waits_at_the_gate_of_its_text() -> None:
    gates = Gates()
    turns = [asyncio.ensure_future(_run(workflow_slow(gates), text)) for text in "ab"]
    await gates.reached("a")
    await gates.reached("b")
    gates.release("b")
    assert await turns[1] == ["b"]
    assert not turns[0].done()
    gates.release("a")
    assert await turns[0] == ["a"]


async def _run(workflow: Workflow, text: str) -> list[Any]:
    return (await workflow.run(text)).get_outputs()


async def test_agents_in_sequence_each_go_on_with_the_conversation() -> None:
    workflow = workflow_sequential(
        Echo("1 ", name="one"), Scripted("done", name="two"), Echo("3 ", name="three")
    )
    assert [output.text for output in (await workflow.run("hi")).get_outputs()] == ["1 hi", "done", "3 hi"]


async def test_streamed_agents_in_a_workflow_give_updates_replacements_included() -> None:
    workflow = workflow_sequential(Scripted("a", steps.Replace("b"), name="one"), Echo(name="two"))
    data = [event.data async for event in workflow.run("hi", stream=True) if event.type == "output"]
    assert all(isinstance(update, AgentResponseUpdate) for update in data)
    assert [update.text for update in data] == ["a", "b", "hi"]


async def test_concurrent_agents_are_inside_at_once_and_joined_in_order() -> None:
    slow = Scripted(steps.Stop("x"), "slow", name="slow")
    quick = Counting(name="quick")
    turn = asyncio.ensure_future(_run(workflow_concurrent(slow, quick), "hi"))
    await slow.gates.reached("x")
    slow.gates.release("x")
    assert await turn == ["slow | turn 1"]
