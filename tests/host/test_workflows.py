"""Workflows through the host: their sessions, their questions, their failures (contract 8)."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content, Message

from hosting import (
    AlreadyAnswered,
    ForkUnsupported,
    HostedRunResult,
    HostingError,
    RunFailed,
    SqliteHostStateStore,
    UnprocessableInput,
)
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import (
    Gates,
    Order,
    Receipt,
    workflow_concurrent,
    workflow_echo,
    workflow_failing,
    workflow_multi,
    workflow_pending,
    workflow_sequential,
    workflow_slow,
    workflow_typed,
)
from tests.host.turns import request, run

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


def answer(asked: HostedRunResult[Any], text: str) -> Message:
    (open_request,) = asked.requests
    return Message("tool", [Content.from_function_result(open_request.call_id or "", result=text)])


@STREAMED
async def test_a_wrong_input_is_422_and_names_the_type_expected(say_channel: Any, stream: bool) -> None:
    async with InMemoryHost(workflow_typed, [say_channel()]) as host:
        with pytest.raises(UnprocessableInput, match="takes Order"):
            await run(host, "two apples", "s", stream=stream)
        reply = await host.post("/say", json={"say": "two apples", "stream": stream})
        assert reply.status_code == 422
        assert "Order" in reply.json()["error"]["message"]


@STREAMED
async def test_a_hook_makes_the_typed_input_and_the_typed_output_is_whole(
    say_channel: Any, stream: bool
) -> None:
    channel = say_channel(run_hook=lambda request: request.replace(input=Order(request.input, 2)))
    async with InMemoryHost(workflow_typed, [channel]) as host:
        result = await run(host, "apple", "s", stream=stream)
    assert list(result.result.outputs) == [Receipt("apple", 2, "2-apple")]
    assert '"number":"2-apple"' in result.text.replace(" ", "")


@STREAMED
async def test_a_question_is_answered_in_the_next_turn_also_after_a_restart(
    say_channel: Any, stream: bool, tmp_path: Path
) -> None:
    asked: list[HostedRunResult[Any]] = []
    for key in ("stays", "restarts"):
        async with InMemoryHost(workflow_pending, [say_channel()], state_dir=tmp_path) as host:
            asked.append(await run(host, key, key, stream=stream))
            assert asked[-1].status == "input_required"
            assert asked[-1].requests[0].name == "request_info"
            if key == "stays":
                done = await run(host, answer(asked[0], "yes"), key, stream=stream)
                assert (done.status, done.text, done.requests) == ("completed", "stays: yes", ())
    async with InMemoryHost(workflow_pending, [say_channel()], state_dir=tmp_path) as host:
        done = await run(host, answer(asked[1], "no"), "restarts", stream=stream)
        assert (done.status, done.text) == ("completed", "restarts: no")
        for request_, key in zip(asked, ("stays", "restarts"), strict=True):
            with pytest.raises(AlreadyAnswered):
                await run(host, answer(request_, "again"), key, stream=stream)


async def test_a_question_is_answered_once_over_all_forks(say_channel: Any, tmp_path: Path) -> None:
    async with InMemoryHost(workflow_pending, [say_channel()], state_dir=tmp_path) as host:
        asked = await run(host, "q", "root")
        assert (await run(host, answer(asked, "left"), "left", parent="root")).text == "q: left"
        with pytest.raises(AlreadyAnswered):
            await run(host, answer(asked, "right"), "right", parent="root")
        with pytest.raises(AlreadyAnswered):
            await run(host, answer(asked, "root"), "root")


@pytest.mark.parametrize("as_instance", [False, True], ids=["factory", "instance"])
async def test_two_sessions_see_nothing_of_each_other(say_channel: Any, as_instance: bool) -> None:
    target: Any = workflow_pending() if as_instance else workflow_pending
    async with InMemoryHost(target, [say_channel()]) as host:
        ann = await run(host, "ann's secret", "ann")
        ben = await run(host, "ben's", "ben")
        assert "ann" not in str([content.to_dict() for content in ben.requests])
        with pytest.raises(HostingError):
            await run(host, answer(ann, "stolen"), "ben")
        assert (await run(host, answer(ben, "1"), "ben")).text == "ben's: 1"
        assert (await run(host, answer(ann, "2"), "ann")).text == "ann's secret: 2"


async def test_sessions_run_at_once(say_channel: Any) -> None:
    gates = Gates()
    async with (
        InMemoryHost(lambda: workflow_slow(gates), [say_channel()]) as host,
        asyncio.TaskGroup() as group,
    ):
        turns = [group.create_task(run(host, text, text)) for text in ("a", "b")]
        await gates.reached("a")
        await gates.reached("b")
        gates.release_all()
        assert [(await turn).text for turn in turns] == ["a", "b"]


@pytest.mark.parametrize(
    "target", [workflow_echo, workflow_multi, workflow_sequential, workflow_concurrent, workflow_pending]
)
async def test_what_is_streamed_is_what_the_one_shot_answer_says(say_channel: Any, target: Any) -> None:
    async with InMemoryHost(target, [say_channel()]) as host:
        whole = await run(host, "hello", "one")
        streamed = await run(host, "hello", "three", stream=True)
        stream = await host.host.run_stream(request("hello", "four"))
        assert "".join([update.text async for update in stream]) == whole.text == streamed.text
    assert [message.text for message in streamed.result.messages] == [
        message.text for message in whole.result.messages
    ]


async def test_all_outputs_are_there(say_channel: Any) -> None:
    async with InMemoryHost(workflow_multi, [say_channel()]) as host:
        result = await run(host, "x", "s")
        assert list(result.result.outputs) == ["first x", "second x", "third x"]
        assert [message.text for message in result.result.messages] == ["first x", "second x", "third x"]


async def test_agents_one_after_the_other_and_at_once(say_channel: Any) -> None:
    async with InMemoryHost(workflow_sequential, [say_channel()]) as host:
        assert "second: " in (await run(host, "x", "s")).text
    async with InMemoryHost(workflow_concurrent, [say_channel()]) as host:
        assert (await run(host, "x", "s")).text == "first: x | second: x"


@STREAMED
async def test_a_failing_workflow_is_an_opaque_500(say_channel: Any, stream: bool) -> None:
    async with InMemoryHost(workflow_failing, [say_channel()]) as host:
        with pytest.raises(RunFailed) as caught:
            await run(host, "x", "s", stream=stream)
        assert "hunter2" not in str(caught.value)
        reply = await host.post("/say", json={"say": "x"})
        assert reply.status_code == 500
        assert "hunter2" not in reply.text


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_cancelled_turn_leaves_the_session_where_it_was(say_channel: Any, stream: bool) -> None:
    gates = Gates()
    async with InMemoryHost(lambda: workflow_slow(gates), [say_channel()]) as host:
        turn = asyncio.create_task(run(host, "lost", "s", stream=stream))
        await gates.reached("lost")
        turn.cancel()
        await asyncio.wait([turn])
        assert turn.cancelled()
        assert gates.waiting("lost") == 0
        gates.release("next")
        assert (await run(host, "next", "s", stream=stream)).text == "next"


async def test_a_session_has_one_checkpoint_however_many_turns_it_had(
    say_channel: Any, tmp_path: Path
) -> None:
    async with InMemoryHost(
        workflow_multi, [say_channel()], state=SqliteHostStateStore(tmp_path / "hosting.db")
    ) as host:
        for _ in range(4):
            await run(host, "x", "s")
            await run(host, "x", "other")
    with sqlite3.connect(tmp_path / "hosting.db") as database:
        rows = database.execute("SELECT count(*) FROM checkpoints GROUP BY session_id").fetchall()
    database.close()
    assert rows == [(1,), (1,)]


async def test_a_fork_starts_from_its_parents_checkpoint_also_after_a_restart(
    say_channel: Any, tmp_path: Path
) -> None:
    async with InMemoryHost(workflow_pending, [say_channel()], state_dir=tmp_path) as host:
        asked = await run(host, "q", "root")
        await host.restart()
        assert (await run(host, answer(asked, "child"), "child", parent="root")).text == "q: child"
        await host.restart()
        assert (await run(host, "new", "child")).status == "input_required"
        with pytest.raises(AlreadyAnswered):
            await run(host, answer(asked, "root"), "root")


async def test_a_turn_of_a_linear_session_is_not_continued_without_its_state(say_channel: Any) -> None:
    async with InMemoryHost(workflow_pending, [say_channel()]) as host:
        await run(host, "q", "conversation", response_id="resp_1")
        with pytest.raises(ForkUnsupported):
            await run(host, "r", "resp_2", parent="resp_1", response_id="resp_2")
