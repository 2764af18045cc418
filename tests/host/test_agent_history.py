"""What a real agent's model is sent, turn by turn: exactly the conversation (contract 3.5, 6.2, 6.6, 6.11)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Agent,
    ChatResponse,
    ChatResponseUpdate,
    HistoryProvider,
    InMemoryHistoryProvider,
    Message,
    chat_middleware,
    tool,
)

from hosting import (
    AgentFrameworkHost,
    ChannelConfigurationError,
    ChannelContribution,
    ChannelRequest,
    ChannelSession,
    HostHistoryProvider,
    HostingError,
    SqliteHostStateStore,
    TurnInProgress,
    UnknownReference,
)
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import ScriptedChatClient, steps
from tests.host.turns import run, sent

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


@tool
def add(a: int, b: int) -> str:
    """Adds."""
    return str(a + b)


@tool
def now() -> str:
    """Tells the time."""
    return "noon"


def hearing(*, tools: Sequence[Any] = (), **client: Any) -> tuple[Agent, ScriptedChatClient]:
    """An agent whose model answers `heard N`, N being the messages of the user that it was sent."""

    def script(messages: Sequence[Message], options: Mapping[str, Any]) -> str:
        return f"heard {sum(message.role == 'user' for message in messages)}"

    model = ScriptedChatClient(script=script, **client)
    return Agent(client=model, name="hearing", tools=list(tools)), model


@STREAMED
async def test_the_model_is_sent_the_conversation_and_the_new_message(say_channel: Any, stream: bool) -> None:
    agent, model = hearing()
    async with InMemoryHost(agent, [say_channel()]) as host:
        for text in ("one", "two"):
            await run(host, text, "s", stream=stream)
    assert sent(model) == [
        [("user", "one")],
        [("user", "one"), ("assistant", "heard 1"), ("user", "two")],
    ]


@STREAMED
async def test_six_equal_messages_are_all_kept_also_after_a_restart(
    say_channel: Any, stream: bool, tmp_path: Path
) -> None:
    agent, model = hearing()
    for _ in range(2):
        state = SqliteHostStateStore(tmp_path / "hosting.db")
        async with InMemoryHost(agent, [say_channel()], state=state) as host:
            for _ in range(3):
                await run(host, "hi", "s", stream=stream)
    assert len(sent(model)[-1]) == 11
    assert [role for role, _ in sent(model)[-1]] == ["user", "assistant"] * 5 + ["user"]


@STREAMED
async def test_tool_calls_and_results_are_part_of_the_history(
    say_channel: Any, stream: bool, tmp_path: Path
) -> None:
    model = ScriptedChatClient(
        [steps.ToolCall("add", {"a": 1, "b": 2}, "c1"), steps.ToolCall("now", {}, "c2")], "It is done."
    )
    agent = Agent(client=model, tools=[add, now])
    for text in ("one", "two"):
        state = SqliteHostStateStore(tmp_path / "hosting.db")
        async with InMemoryHost(agent, [say_channel()], state=state) as host:
            assert (await run(host, text, "s", stream=stream)).text == "It is done."
    first = [
        ("user", "one"),
        ("assistant", 'add({"a": 1, "b": 2}) now({})'),
        ("tool", "-> 3 -> noon"),
        ("assistant", "It is done."),
    ]
    assert sent(model)[2] == [*first, ("user", "two")]


@STREAMED
async def test_a_failed_turn_adds_nothing(say_channel: Any, stream: bool) -> None:
    def script(messages: Sequence[Message], options: Mapping[str, Any]) -> Any:
        return (
            [steps.Delta("half"), steps.Fail(RuntimeError("no"))] if messages[-1].text == "fail" else "well"
        )

    model = ScriptedChatClient(script=script)
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        await run(host, "one", "s", stream=stream)
        with pytest.raises(HostingError):
            await run(host, "fail", "s", stream=stream)
        await run(host, "two", "s", stream=stream)
    assert sent(model)[-1] == [("user", "one"), ("assistant", "well"), ("user", "two")]


@STREAMED
async def test_a_cancelled_turn_adds_nothing(say_channel: Any, stream: bool) -> None:
    def script(messages: Sequence[Message], options: Mapping[str, Any]) -> Any:
        return ["half", steps.Stop("middle"), "rest"] if messages[-1].text == "stop" else "well"

    model = ScriptedChatClient(script=script)
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        await run(host, "one", "s", stream=stream)
        turn = asyncio.create_task(run(host, "stop", "s", stream=stream))
        await model.gates.reached("middle")
        turn.cancel()
        await asyncio.wait([turn])
        assert turn.cancelled()
        assert model.running == 0
        await run(host, "two", "s", stream=stream)
    assert sent(model)[-1] == [("user", "one"), ("assistant", "well"), ("user", "two")]


async def test_a_message_that_a_hook_shares_between_turns_stays_as_it_is(say_channel: Any) -> None:
    preamble = Message("user", ["Be brief."])
    agent, model = hearing()
    channel = say_channel(run_hook=lambda request: request.replace(input=[preamble]))
    async with InMemoryHost(agent, [channel]) as host:
        for _ in range(3):
            await run(host, "x", "s")
        await run(host, "x", "other")
    assert len(sent(model)[2]) == 5
    assert preamble.message_id is None
    assert preamble.additional_properties == {}
    ids = [message.message_id for message in model.calls[2].messages if message.role == "user"]
    assert len(set(ids)) == 3


async def test_what_a_run_does_to_its_messages_does_not_reach_the_history(say_channel: Any) -> None:
    @chat_middleware
    async def redact(context: Any, call_next: Any) -> None:
        for message in context.messages:
            message.contents = message.contents[:0]
        await call_next()

    agent, model = hearing(middleware=[redact])
    async with InMemoryHost(agent, [say_channel()]) as host:
        await run(host, "one", "root")
        await run(host, "two", "child", parent="root")
        model.chat_middleware = []
        await run(host, "three", "other", parent="root")
    assert sent(model)[-1] == [("user", "one"), ("assistant", "heard 1"), ("user", "three")]


class StoringClient(ScriptedChatClient):
    """A model service that keeps the conversation itself, as the real OpenAI client by default (core-facts 1.9)."""

    STORES_BY_DEFAULT = True

    def _inner_get_response(self, *, messages: Any, stream: bool, options: Any, **kwargs: Any) -> Any:
        answer = super()._inner_get_response(messages=messages, stream=stream, options=options, **kwargs)
        named = f"{self.prefix}{len(self.calls)}"

        async def later() -> ChatResponse[Any]:
            response = await answer
            response.conversation_id = named
            return response

        def name(update: ChatResponseUpdate) -> ChatResponseUpdate:
            update.conversation_id = named
            return update

        return answer.with_transform_hook(name) if stream else later()

    prefix = "resp_"


@STREAMED
async def test_what_the_model_service_keeps_is_not_sent_again(
    say_channel: Any, stream: bool, tmp_path: Path
) -> None:
    model = StoringClient("well")
    agent = Agent(client=model)
    for text in ("one", "two", "three"):
        state = SqliteHostStateStore(tmp_path / "hosting.db")
        async with InMemoryHost(agent, [say_channel()], state=state) as host:
            await run(host, text, "s", stream=stream)
    assert sent(model) == [[("user", "one")], [("user", "two")], [("user", "three")]]
    assert [call.options.get("conversation_id") for call in model.calls] == [None, "resp_1", "resp_2"]


async def test_a_fork_of_a_service_response_goes_on_from_it_and_of_a_service_conversation_is_refused(
    say_channel: Any,
) -> None:
    model = StoringClient("well")
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        await run(host, "one", "root")
        await run(host, "left", "left", parent="root")
        await run(host, "right", "right", parent="root")
    assert [call.options.get("conversation_id") for call in model.calls] == [None, "resp_1", "resp_1"]

    model = StoringClient("well")
    model.prefix = "conv_"
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        await run(host, "one", "root")
        with pytest.raises(HostingError) as caught:
            await run(host, "left", "left", parent="root")
    assert caught.value.code == "fork_unsupported"


@STREAMED
async def test_an_agent_with_cores_own_history_keeps_it_in_the_session(
    say_channel: Any, stream: bool, tmp_path: Path
) -> None:
    model = ScriptedChatClient("well")
    agent = Agent(client=model, context_providers=[InMemoryHistoryProvider()])
    for text in ("one", "two"):
        state = SqliteHostStateStore(tmp_path / "hosting.db")
        async with InMemoryHost(agent, [say_channel()], state=state) as host:
            await run(host, text, "s", stream=stream)
            await run(host, "fork", f"fork of {text}", parent="s", stream=stream)
    assert [type(provider) for provider in agent.context_providers] == [InMemoryHistoryProvider]
    assert sent(model)[2] == [("user", "one"), ("assistant", "well"), ("user", "two")]
    assert len(sent(model)[3]) == 5


class OwnHistory(HistoryProvider):
    """An app's own, kept elsewhere."""

    def __init__(self) -> None:
        super().__init__("own")
        self.kept: dict[str | None, list[Message]] = {}

    async def get_messages(self, session_id: str | None, **kwargs: Any) -> list[Message]:
        return list(self.kept.get(session_id, ()))

    async def save_messages(self, session_id: str | None, messages: Sequence[Message], **kwargs: Any) -> None:
        self.kept.setdefault(session_id, []).extend(messages)


async def test_an_agent_with_its_own_history_is_left_alone_and_cannot_be_forked(
    say_channel: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model, own = ScriptedChatClient("well"), OwnHistory()
    agent = Agent(client=model, context_providers=[own])
    async with InMemoryHost(agent, [say_channel()]) as host:
        await run(host, "one", "s")
        await run(host, "two", "s")
        with pytest.raises(HostingError) as caught:
            await run(host, "three", "child", parent="s")
    assert caught.value.code == "fork_unsupported"
    assert "cannot be forked" in caplog.text
    assert agent.context_providers == [own]
    assert sent(model)[1] == [("user", "one"), ("assistant", "well"), ("user", "two")]


async def test_two_hosts_of_one_agent_share_the_provider_and_nothing_else(say_channel: Any) -> None:
    agent, model = hearing()
    async with (
        InMemoryHost(agent, [say_channel()]) as one,
        InMemoryHost(agent, [say_channel()]) as other,
    ):
        await run(one, "one", "s")
        await run(other, "other", "s")
        await run(one, "two", "s")
    assert sum(isinstance(provider, HostHistoryProvider) for provider in agent.context_providers) == 1
    assert sent(model)[1] == [("user", "other")]
    assert sent(model)[2] == [("user", "one"), ("assistant", "heard 1"), ("user", "two")]


async def test_two_hosts_of_one_agent_can_run_the_same_session_ids_at_once(say_channel: Any) -> None:
    from hosting_testkit import SequentialIds

    model = ScriptedChatClient(script=lambda messages, options: [steps.Stop(messages[-1].text), "well"])
    agent = Agent(client=model)
    async with (
        InMemoryHost(agent, [say_channel()], id_source=SequentialIds()) as one,
        InMemoryHost(agent, [say_channel()], id_source=SequentialIds()) as other,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(run(one, "one", "s"))
        await model.gates.reached("one")
        group.create_task(run(other, "other", "s"))
        await model.gates.reached("other")
        model.gates.release("other")
        model.gates.release("one")
        model.gates.release("again")
    assert sent(model) == [[("user", "one")], [("user", "other")]]


async def test_forks_share_what_came_before_and_do_not_see_each_other(
    say_channel: Any, tmp_path: Path
) -> None:
    agent, model = hearing()
    prefix = [("user", "root"), ("assistant", "heard 1")]
    async with InMemoryHost(agent, [say_channel()], state=SqliteHostStateStore(tmp_path / "a.db")) as host:
        await run(host, "root", "root")
        await run(host, "left", "left", parent="root")
        await run(host, "right", "right", parent="root")
        await run(host, "on", "root")
    async with InMemoryHost(agent, [say_channel()], state=SqliteHostStateStore(tmp_path / "a.db")) as host:
        await run(host, "more", "left")
        await run(host, "late", "late", parent="right")
    assert sent(model)[1:] == [
        [*prefix, ("user", "left")],
        [*prefix, ("user", "right")],
        [*prefix, ("user", "on")],
        [*prefix, ("user", "left"), ("assistant", "heard 2"), ("user", "more")],
        [*prefix, ("user", "right"), ("assistant", "heard 2"), ("user", "late")],
    ]


async def test_a_failed_parent_counts_as_its_own_parent(say_channel: Any) -> None:
    def script(messages: Sequence[Message], options: Mapping[str, Any]) -> Any:
        return [steps.Fail(RuntimeError("no"))] if messages[-1].text == "fail" else "well"

    model = ScriptedChatClient(script=script)
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        await run(host, "one", "resp_one", response_id="resp_one")
        for parent, name in (("resp_one", "resp_two"), ("resp_two", "resp_three")):
            with pytest.raises(HostingError):
                await run(host, "fail", name, parent=parent, response_id=name)
        await run(host, "four", "resp_four", parent="resp_three", response_id="resp_four")
    assert sent(model)[-1] == [("user", "one"), ("assistant", "well"), ("user", "four")]


async def test_a_failed_first_turn_counts_as_nothing(say_channel: Any) -> None:
    model = ScriptedChatClient(
        script=lambda messages, options: (
            [steps.Fail(RuntimeError())] if messages[-1].text == "fail" else "well"
        )
    )
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        with pytest.raises(HostingError):
            await run(host, "fail", "resp_one", response_id="resp_one")
        await run(host, "two", "resp_two", parent="resp_one", response_id="resp_two")
    assert sent(model)[-1] == [("user", "two")]


async def test_a_parent_that_still_runs_is_409_for_its_owner_and_unknown_to_others(say_channel: Any) -> None:
    model = ScriptedChatClient([steps.Stop("middle"), "well"])
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host, asyncio.TaskGroup() as group:
        group.create_task(run(host, "one", "resp_one", response_id="resp_one"))
        await model.gates.reached("middle")
        with pytest.raises(TurnInProgress):
            await run(host, "two", "resp_two", parent="resp_one")
        from hosting import ChannelSession

        with pytest.raises(UnknownReference):
            await run(host, "two", session=ChannelSession("you", key="mine", parent_key="resp_one"))
        model.gates.release_all()


async def test_a_turn_of_a_linear_session_is_continued_as_it_ended(say_channel: Any, tmp_path: Path) -> None:
    agent, model = hearing()
    async with InMemoryHost(agent, [say_channel()], state=SqliteHostStateStore(tmp_path / "a.db")) as host:
        for number in (1, 2, 3):
            await run(host, f"turn {number}", "conversation", response_id=f"resp_{number}")
    async with InMemoryHost(agent, [say_channel()], state=SqliteHostStateStore(tmp_path / "a.db")) as host:
        await run(host, "aside", "resp_aside", parent="resp_2", response_id="resp_aside")
        await run(host, "turn 4", "conversation")
    assert [text for role, text in sent(model)[3] if role == "user"] == ["turn 1", "turn 2", "aside"]
    assert [text for role, text in sent(model)[4] if role == "user"] == [
        "turn 1",
        "turn 2",
        "turn 3",
        "turn 4",
    ]


async def test_a_failed_turn_of_a_linear_session_is_continued_from_before_it(say_channel: Any) -> None:
    model = ScriptedChatClient(
        script=lambda messages, options: (
            [steps.Fail(RuntimeError())] if messages[-1].text == "fail" else "well"
        )
    )
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host:
        await run(host, "one", "conversation", response_id="resp_1")
        with pytest.raises(HostingError):
            await run(host, "fail", "conversation", response_id="resp_2")
        await run(host, "two", "conversation", response_id="resp_3")
        await run(host, "aside", "resp_aside", parent="resp_2", response_id="resp_aside")
    assert [text for role, text in sent(model)[-1] if role == "user"] == ["one", "aside"]


@pytest.mark.parametrize("parent", ["a\ud800b", "a\0b", "x" * 1025], ids=["surrogate", "nul", "long"])
async def test_a_parent_that_cannot_be_a_key_is_400(say_channel: Any, parent: str) -> None:
    agent, _ = hearing()
    async with InMemoryHost(agent, [say_channel()]) as host:
        with pytest.raises(HostingError) as caught:
            await run(host, "x", "s", parent=parent)
    assert caught.value.status == 400


def test_building_two_hosts_adds_one_provider(say_channel: Any) -> None:
    agent, _ = hearing()
    for _ in range(2):
        AgentFrameworkHost(agent, channels=[say_channel()])
    assert len(agent.context_providers) == 1


async def test_a_window_bounds_what_the_target_sees_and_not_what_is_kept(tmp_path: Path) -> None:
    def agent(window: int | None) -> Agent:
        def script(messages: Any, options: Any) -> str:
            return "|".join(message.text for message in messages if message.role == "user")

        providers = [HostHistoryProvider(window=window)]
        return Agent(client=ScriptedChatClient(script=script), context_providers=providers)

    answers: list[str] = []
    for window, texts in ((4, "abcd"), (4, "e"), (None, "f")):
        async with InMemoryHost(agent(window), [Quiet()], state_dir=tmp_path) as host:
            for text in texts:
                request = ChannelRequest(channel="quiet", input=text, session=ChannelSession("me", key="s"))
                answers.append((await host.host.run(request)).text)
    assert answers == ["a", "a|b", "a|b|c", "b|c|d", "c|d|e", "a|b|c|d|e|f"]


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ChannelConfigurationError, match="window"):
        HostHistoryProvider(window=0)


class Quiet:
    """A channel without a wire."""

    name, path = "quiet", "/quiet"

    def contribute(self, context: Any) -> ChannelContribution:
        return ChannelContribution()
