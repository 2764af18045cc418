"""What the client keeps reaches a workflow and comes back as the run left it (contract 3.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Never

import pytest
from agent_framework import (
    Agent,
    ContextProvider,
    Executor,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    WorkflowExecutor,
    handler,
    response_handler,
)

from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Question, ScriptedChatClient, workflow_sequential
from tests.host.test_workflows import answer
from tests.host.turns import run

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


class Clicker(Executor):
    """Adds one to the client's number; asks first if it is told to."""

    @handler
    async def click(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        if text == "leave it":
            await ctx.yield_output(repr(ctx.get_state("client_state")))
        elif text == "ask":
            await ctx.request_info(Question(text), str)
        else:
            await self._clicked(ctx)

    @response_handler
    async def answered(self, question: Question, reply: str, ctx: WorkflowContext[Never, str]) -> None:
        await self._clicked(ctx)

    async def _clicked(self, ctx: WorkflowContext[Never, str]) -> None:
        state = {"n": ctx.get_state("client_state", {}).get("n", 0) + 1}
        ctx.set_state("client_state", state)
        await ctx.yield_output(str(state["n"]))


def clicking() -> Workflow:
    return WorkflowBuilder(name="clicking", start_executor=Clicker(id="clicker")).build()


class Adds(ContextProvider):
    """Adds one to the client's number, in the session that its agent is given."""

    def __init__(self, *, in_place: bool) -> None:
        super().__init__("adds")
        self._in_place = in_place

    async def before_run(self, *, session: Any, **_: Any) -> None:
        if self._in_place:
            session.state["client_state"]["n"] += 1
        else:
            session.state["client_state"] = {"n": session.state.get("client_state", {}).get("n", 0) + 1}


def agents(*, in_place: bool = False) -> Workflow:
    first = Agent(client=ScriptedChatClient("one"), name="first", context_providers=[Adds(in_place=in_place)])
    return workflow_sequential(first, Agent(client=ScriptedChatClient("two"), name="second"))


def nested() -> Workflow:
    inner = WorkflowExecutor(agents(), id="inner")
    return WorkflowBuilder(name="outer", start_executor=inner).build()


@STREAMED
@pytest.mark.parametrize("target", [clicking, agents, nested])
async def test_it_goes_in_and_comes_out_as_the_run_left_it(
    say_channel: Any, tmp_path: Path, target: Any, stream: bool
) -> None:
    async with InMemoryHost(target, [say_channel()], state_dir=tmp_path) as host:
        first = await run(host, "x", "s", client_state={"n": 41}, stream=stream)
        assert first.client_state == {"n": 42}
        assert (await run(host, "x", "s", stream=stream)).client_state == {"n": 43}
        await host.restart()
        assert (await run(host, "x", "s", stream=stream)).client_state == {"n": 44}
        assert (await run(host, "x", "s", client_state={"n": 0}, stream=stream)).client_state == {"n": 1}
        assert (await run(host, "x", "fork", parent="s", stream=stream)).client_state == {"n": 2}
        assert (await run(host, "x", "s", stream=stream)).client_state == {"n": 2}


@STREAMED
@pytest.mark.parametrize("target", [clicking, agents])
async def test_a_workflow_may_begin_it_and_no_other_session_sees_it(
    say_channel: Any, target: Any, stream: bool
) -> None:
    async with InMemoryHost(target, [say_channel()]) as host:
        for expected in (1, 2):
            for key in ("s", "other"):
                assert (await run(host, "x", key, stream=stream)).client_state == {"n": expected}


@STREAMED
@pytest.mark.parametrize("target", [clicking, agents])
async def test_it_reaches_a_turn_without_a_session_too(say_channel: Any, target: Any, stream: bool) -> None:
    async with InMemoryHost(target, [say_channel()]) as host:
        for _ in range(2):
            result = await run(host, "x", client_state={"n": 1}, stream=stream)
            assert (result.client_state, result.session) == ({"n": 2}, None)


@STREAMED
async def test_a_change_in_place_by_an_agent_counts_and_the_clients_own_copy_is_left_alone(
    say_channel: Any, stream: bool
) -> None:
    mine = {"n": 1}
    async with InMemoryHost(lambda: agents(in_place=True), [say_channel()]) as host:
        assert (await run(host, "x", "s", client_state=mine, stream=stream)).client_state == {"n": 2}
        assert (await run(host, "x", "s", stream=stream)).client_state == {"n": 3}
    assert mine == {"n": 1}


@STREAMED
async def test_an_answer_finds_it(say_channel: Any, stream: bool) -> None:
    async with InMemoryHost(clicking, [say_channel()]) as host:
        asked = await run(host, "ask", "s", client_state={"n": 7}, stream=stream)
        assert (asked.status, asked.client_state) == ("input_required", {"n": 7})
        done = await run(host, answer(asked, "yes"), "s", stream=stream)
        assert (done.text, done.client_state, done.status) == ("8", {"n": 8}, "completed")
        asked = await run(host, "ask", "s", stream=stream)
        done = await run(host, answer(asked, "yes"), "s", client_state={"n": 20}, stream=stream)
        assert (done.text, done.client_state) == ("21", {"n": 21})


@pytest.mark.parametrize(
    "state",
    [{"type": "message"}, {"type": "message", "role": 1}, [1, {"type": "text"}], "text", 0, {"$type": "x"}],
)
async def test_any_shape_can_be_loaded_again(say_channel: Any, tmp_path: Path, state: Any) -> None:
    def quiet() -> Workflow:
        return workflow_sequential(
            Agent(client=ScriptedChatClient("one"), name="first"),
            Agent(client=ScriptedChatClient("two"), name="second"),
        )

    def quiet_inside() -> Workflow:
        inner = WorkflowExecutor(quiet(), id="inner")
        return WorkflowBuilder(name="outer", start_executor=inner).build()

    for number, target in enumerate((clicking, quiet, quiet_inside)):
        options: dict[str, Any] = {"state_dir": tmp_path / str(number)}
        async with InMemoryHost(target, [say_channel()], **options) as host:
            assert (await run(host, "leave it", "s", client_state=state)).client_state == state
        async with InMemoryHost(target, [say_channel()], **options) as host:
            again = await run(host, "leave it", "s")
            assert again.client_state == state
            if target is clicking:
                assert again.text == repr(state)


@STREAMED
async def test_a_failed_turn_leaves_it_as_it_was(say_channel: Any, stream: bool) -> None:
    class Failing(Clicker):
        @handler
        async def click(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
            await self._clicked(ctx)
            if text == "fail":
                raise LookupError

    def failing() -> Workflow:
        return WorkflowBuilder(name="failing", start_executor=Failing(id="clicker")).build()

    async with InMemoryHost(failing, [say_channel()]) as host:
        await run(host, "x", "s", client_state={"n": 1}, stream=stream)
        with pytest.raises(Exception, match="Quote"):
            await run(host, "fail", "s", client_state={"n": 50}, stream=stream)
        assert (await run(host, "x", "s", stream=stream)).client_state == {"n": 3}
