"""What reaches the target beside the messages (contract 3.1, 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from agent_framework import Agent, AgentSession, ContextProvider, FunctionTool

from hosting import Caller, ChannelIdentity, HostingError, ReadOnlyMap
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Counting, Echo, Recorder, ScriptedChatClient, steps
from tests.host.turns import run

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


class Stateful(Counting):
    """Adds one to the client's number."""

    async def answer(self, run: Any) -> Any:
        state = run.session.state
        state["client_state"] = {"n": state.get("client_state", {}).get("n", 0) + 1}
        async for update in super().answer(run):
            yield update


@STREAMED
async def test_client_state_goes_in_and_comes_out_as_the_run_left_it(say_channel: Any, stream: bool) -> None:
    async with InMemoryHost(Stateful(), [say_channel()]) as host:
        first = await run(host, "x", "s", client_state={"n": 41}, stream=stream)
        assert first.client_state == {"n": 42}
        assert (await run(host, "x", "s", stream=stream)).client_state == {"n": 43}


@STREAMED
async def test_client_state_reaches_a_turn_without_a_session_too(say_channel: Any, stream: bool) -> None:
    async with InMemoryHost(Stateful(), [say_channel()]) as host:
        for _ in range(2):
            result = await run(host, "x", client_state={"n": 1}, stream=stream)
            assert (result.client_state, result.session, result.text) == ({"n": 2}, None, "turn 1")


async def test_client_state_of_any_shape_can_be_loaded_again(say_channel: Any, tmp_path: Any) -> None:
    states = [
        {"type": "message"},
        {"type": "message", "role": 1},
        [1, {"type": "text"}],
        "text",
        0,
        {"type": "session"},
    ]
    for number, state in enumerate(states):
        async with InMemoryHost(Counting(), [say_channel()], state_dir=tmp_path) as host:
            await run(host, "x", str(number), client_state=state)
        async with InMemoryHost(Counting(), [say_channel()], state_dir=tmp_path) as host:
            again = await run(host, "x", str(number))
            assert (again.text, again.client_state) == ("turn 2", state)
            assert (await run(host, "x", f"fork {number}", parent=str(number))).client_state == state


async def test_the_clients_own_copy_of_its_state_is_left_alone(say_channel: Any) -> None:
    class Adding(Counting):
        async def answer(self, run: Any) -> Any:
            run.session.state["client_state"]["list"].append(1)
            async for update in super().answer(run):
                yield update

    mine: dict[str, Any] = {"list": []}
    async with InMemoryHost(Adding(), [say_channel()]) as host:
        result = await run(host, "x", "s", client_state=mine)
        assert result.client_state == {"list": [1]}
        await run(host, "x", "s")
    assert mine == {"list": []}
    assert result.client_state == {"list": [1]}


@STREAMED
async def test_the_last_user_message_says_where_the_turn_came_from(say_channel: Any, stream: bool) -> None:
    recorder = Recorder(Echo())
    async with InMemoryHost(recorder, [say_channel()]) as host:
        result = await run(
            host,
            ["earlier", "last"],
            "s",
            identity=ChannelIdentity("say", "native"),
            conversation_id="room",
            delivery_id="key",
            stream=stream,
        )
    (seen,) = recorder.runs
    assert "hosting" not in seen.messages[0].additional_properties
    hosting = seen.hosting
    assert {name: hosting[name] for name in ("channel", "identity", "conversation_id", "delivery_id")} == {
        "channel": "say",
        "identity": "native",
        "conversation_id": "room",
        "delivery_id": "key",
    }
    assert (hosting["response_target"], hosting["turn_id"], hosting["attempt"]) == (
        "originating",
        result.turn_id,
        1,
    )


@STREAMED
async def test_options_go_only_to_a_target_that_takes_them_and_never_name_a_conversation(
    say_channel: Any, stream: bool
) -> None:
    options = ReadOnlyMap({"temperature": 0.5, "conversation_id": "c", "previous_response_id": "r"})
    recorder = Recorder(Echo())
    async with InMemoryHost(recorder, [say_channel()]) as host:
        await run(host, "x", "s", options=options, stream=stream)
    assert recorder.runs[0].options == {"temperature": 0.5}
    async with InMemoryHost(Echo(), [say_channel()]) as host:
        assert (await run(host, "x", "s", options=options, stream=stream)).text == "x"


@STREAMED
async def test_a_real_agent_gets_options_and_the_callers_tools_for_one_run(
    say_channel: Any, stream: bool
) -> None:
    model = ScriptedChatClient([steps.ToolCall("lookup", {"q": 1})], "done")
    schema = {"type": "object", "properties": {"q": {"type": "integer"}}}
    lookup = FunctionTool(name="lookup", description="", func=None, input_model=schema)
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        asked = await run(
            host,
            "x",
            "s",
            options={"temperature": 0.5, "conversation_id": "c"},
            client_tools=[lookup],
            stream=stream,
        )
        assert asked.status == "input_required"
        assert model.calls[0].options["temperature"] == 0.5
        assert model.calls[0].options.get("conversation_id") != "c"
        await run(host, "y", "other", stream=stream)
    assert not model.calls[-1].options.get("tools")


class Bound(ContextProvider):
    """Writes down when a request is bound to it, and how."""

    def __init__(self, *, sync: bool = False) -> None:
        super().__init__("bound")
        self.log: list[Any] = []
        if sync:
            self.bind_request_context = self.bind_sync
        else:
            self.bind_request_context = self.bind_async

    @asynccontextmanager
    async def bind_async(self, *, session: AgentSession, **ids: Any) -> AsyncIterator[None]:
        with self.bind_sync(session=session, **ids):
            yield

    @contextmanager
    def bind_sync(self, *, session: AgentSession, **ids: Any) -> Iterator[None]:
        self.log.append(("in", ids, session))
        try:
            yield
        except BaseException as exc:
            self.log.append(("error", type(exc).__name__))
            raise
        finally:
            self.log.append("out")

    async def before_run(self, *, session: AgentSession, **kwargs: Any) -> None:
        self.log.append(("before", session))

    async def after_run(self, *, session: AgentSession, **kwargs: Any) -> None:
        self.log.append(("after", session))


@STREAMED
@pytest.mark.parametrize("sync", [False, True])
@pytest.mark.parametrize("key", ["s", None], ids=["session", "without"])
async def test_a_provider_is_bound_to_the_request_around_the_whole_run(
    say_channel: Any, sync: bool, stream: bool, key: str | None
) -> None:
    bound = Bound(sync=sync)
    agent = Agent(client=ScriptedChatClient("a"), context_providers=[bound])
    async with InMemoryHost(agent, [say_channel()]) as host:
        result = await run(host, "x", key, response_id="resp_2", stream=stream, caller=Caller("ann"))
        assert result.text == "a"
    (begun, ids, session), before, after, out = bound.log
    assert (begun, before[0], after[0], out) == ("in", "before", "after", "out")
    assert ids == {"response_id": "resp_2", "previous_response_id": None, "isolation": "me" if key else None}
    assert session is before[1] is after[1]


@STREAMED
async def test_a_provider_learns_that_its_run_failed(say_channel: Any, stream: bool) -> None:
    bound = Bound()
    model = ScriptedChatClient([steps.Fail(RuntimeError("no"))])
    async with InMemoryHost(Agent(client=model, context_providers=[bound]), [say_channel()]) as host:
        with pytest.raises(HostingError):
            await run(host, "x", "s", stream=stream)
    assert ("error", "RuntimeError") in bound.log
    assert bound.log[-1] == "out"


async def test_a_provider_learns_what_the_turn_continues(say_channel: Any) -> None:
    bound = Bound()
    agent = Agent(client=ScriptedChatClient("a"), context_providers=[bound])
    async with InMemoryHost(agent, [say_channel()]) as host:
        await run(host, "x", "resp_1", response_id="resp_1")
        await run(host, "y", "resp_2", parent="resp_1", response_id="resp_2")
    assert [entry[1]["previous_response_id"] for entry in bound.log if entry[0] == "in"] == [None, "resp_1"]
