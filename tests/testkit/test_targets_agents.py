"""The fake agents do what their names say, in both run modes, on core's own types."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    AgentSession,
    Message,
    ResponseStream,
    SupportsAgentRun,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from hosting_testkit.clock import run_virtual
from hosting_testkit.targets import (
    BROKEN_TEXTS,
    INJECTIONS,
    NASTY_TEXTS,
    Counting,
    Echo,
    Failing,
    FakeAgent,
    Flood,
    Gate,
    Hang,
    Injection,
    Leak,
    Recorder,
    Scripted,
    Unicode,
    steps,
)

AGENTS: list[FakeAgent] = [
    Counting(),
    Echo(),
    Failing(),
    Flood(1),
    Gate(),
    Hang(),
    Injection(),
    Leak(),
    Scripted("a"),
    Unicode(),
]


async def stream(agent: FakeAgent | Recorder, text: str = "hi", **kwargs: Any) -> list[AgentResponseUpdate]:
    return [update async for update in agent.run(text, stream=True, **kwargs)]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
async def test_every_fake_is_a_real_agent_that_opens_real_streams_and_sessions(agent: FakeAgent) -> None:
    assert isinstance(agent, SupportsAgentRun)
    opened = agent.run("hi", stream=True)
    assert isinstance(opened, ResponseStream)
    await opened.close(asyncio.CancelledError())
    assert isinstance(agent.create_session(session_id="s"), AgentSession)
    assert agent.get_session("service").service_session_id == "service"


async def test_echo_streams_the_last_user_text_in_pieces() -> None:
    echo = Echo("> ", piece=3)
    messages = [Message("user", ["first"]), Message("assistant", ["x"]), Message("user", ["second"])]
    updates = [update.text async for update in echo.run(messages, stream=True)]
    assert updates == ["> s", "eco", "nd"]
    assert (await echo.run(messages)).text == "> second"


async def test_each_run_has_ids_of_its_own_and_one_message() -> None:
    echo = Echo(piece=1)
    first, second = await stream(echo, "ab"), await stream(echo, "ab")
    assert len({update.message_id for update in first}) == 1
    assert first[0].message_id != second[0].message_id
    assert first[0].response_id != second[0].response_id


def test_an_echo_that_cannot_advance_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        Echo(piece=0)


# Scripts


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
said = st.one_of(
    texts,
    st.builds(steps.Delta, texts),
    st.builds(steps.Replace, texts),
    st.builds(steps.Refusal, texts),
    st.builds(steps.Reasoning, texts, st.booleans()),
    st.builds(
        steps.ToolCall,
        st.just("look"),
        st.dictionaries(texts, st.integers()),
        st.sampled_from(["c1", "c2"]),
        st.integers(1, 4),
    ),
    st.builds(steps.ToolResult, texts, st.sampled_from(["c1", "c2"])),
    st.builds(steps.Media),
    st.builds(steps.Usage, st.integers(0, 9), st.integers(0, 9)),
    st.builds(steps.Finish, st.sampled_from(["stop", "length"])),
    st.builds(steps.NextMessage),
    st.builds(steps.Value, st.dictionaries(texts, st.integers())),
)


@settings(deadline=None)
@given(st.lists(said, max_size=12))
def test_a_one_shot_answer_is_the_fold_of_the_streamed_one(script: list[steps.Step]) -> None:
    async def check() -> None:
        whole = await Scripted(*script).run("hi")
        opened = Scripted(*script).run("hi", stream=True)
        updates = [update async for update in opened]
        final = await opened.get_final_response()
        assert whole.to_dict() == final.to_dict()
        assert whole.value == final.value
        folded = AgentResponse[Any].from_updates(updates, value=final.value)
        assert whole.to_dict() == folded.to_dict()

    asyncio.run(check())


async def test_a_script_runs_again_although_core_changes_what_it_says() -> None:
    agent = Scripted("a", steps.ToolCall("look", {"x": 1}, split=3), "b")
    assert (await agent.run("1")).to_dict()["messages"][0]["contents"] == (await agent.run("2")).to_dict()[
        "messages"
    ][0]["contents"]


async def test_deltas_and_a_replace_stream_as_they_are_and_fold_to_what_replaced_them() -> None:
    agent = Scripted("He", "llo", steps.Replace("Hello!"))
    assert [update.text for update in await stream(agent)] == ["He", "llo", "Hello!"]
    assert (await agent.run("hi")).text == "Hello!"


async def test_split_arguments_fold_to_one_call_and_a_result_begins_a_message() -> None:
    agent = Scripted(
        steps.ToolCall("look", {"city": "Oslo"}, split=3), steps.ToolResult("sun"), "It is sunny"
    )
    updates = await stream(agent)
    assert len(updates) == 5
    response = await agent.run("hi")
    assert [message.role for message in response.messages] == ["assistant", "tool", "assistant"]
    assert response.messages[0].contents[0].parse_arguments() == {"city": "Oslo"}
    assert response.messages[1].contents[0].result == "sun"


async def test_arguments_may_be_what_no_parser_takes() -> None:
    response = await Scripted(steps.ToolCall("look", '{"city": ', split=2)).run("hi")
    assert response.messages[0].contents[0].arguments == '{"city": '


async def test_the_other_steps_reach_the_response() -> None:
    agent = Scripted(
        steps.Reasoning("hm"),
        "one",
        steps.Media(),
        steps.NextMessage(),
        steps.Refusal("no"),
        steps.Usage(2, 3),
        steps.Usage(2, 3),
        steps.Finish("length"),
    )
    response = await agent.run("hi")
    kinds = [[content.type for content in message.contents] for message in response.messages]
    assert kinds == [["text_reasoning", "text", "data"], ["text"]]
    assert response.usage_details == {
        "input_token_count": 4,
        "output_token_count": 6,
        "total_token_count": 10,
    }
    assert response.finish_reason == "length"


def test_the_picture_is_a_valid_png() -> None:
    assert steps.PNG[:8] == b"\x89PNG\r\n\x1a\n"
    kinds, rest = [], steps.PNG[8:]
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        chunk, checksum, rest = rest[4 : 8 + length], rest[8 + length : 12 + length], rest[12 + length :]
        kinds.append(chunk[:4])
        assert zlib.crc32(chunk) == int.from_bytes(checksum, "big")
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


@dataclass
class Plain:
    x: int


class Model(BaseModel):
    x: int


@pytest.mark.parametrize("value", [Plain(1), Model(x=1), {"x": 1}], ids=["dataclass", "pydantic", "mapping"])
async def test_a_structured_value_is_text_and_value(value: Any) -> None:
    agent = Scripted(steps.Value(value))
    opened = agent.run("hi", stream=True)
    for response in (await agent.run("hi"), await opened.get_final_response()):
        assert response.value is value
        assert response.text == '{"x":1}'


async def test_a_value_without_a_json_form_says_what_would_do() -> None:
    with pytest.raises(NotImplementedError, match="give a dataclass, model or mapping"):
        await Scripted(steps.Value(object())).run("hi")


async def test_an_approval_is_asked_and_can_be_answered() -> None:
    response = await Scripted(steps.Approval("delete", {"file": "x"})).run("hi")
    (request,) = response.user_input_requests
    assert response.finish_reason is None
    assert [content.type for content in response.messages[0].contents] == [
        "function_call",
        "function_approval_request",
    ]
    answer = request.to_function_approval_response(True)
    assert answer.approved
    assert answer.function_call == response.messages[0].contents[0]


def test_sleep_takes_loop_time() -> None:
    async def check() -> float:
        await Scripted("a", steps.Sleep(3600), "b").run("hi")
        return asyncio.get_running_loop().time()

    assert run_virtual(check) >= 3600


async def test_a_script_stops_at_its_gate() -> None:
    agent = Scripted("a", steps.Stop("half"), "b")
    turn = asyncio.ensure_future(stream(agent))
    await agent.gates.reached("half")
    assert not turn.done()
    agent.gates.release("half")
    assert [update.text for update in await turn] == ["a", "b"]


@pytest.mark.parametrize("error", [LookupError("x"), LookupError])
async def test_a_script_fails_where_it_says(error: Any) -> None:
    opened = Scripted("a", steps.Fail(error), "b").run("hi", stream=True)
    assert (await anext(opened)).text == "a"
    with pytest.raises(LookupError):
        await anext(opened)
    with pytest.raises(LookupError):
        await Scripted("a", steps.Fail(error)).run("hi")


async def test_turns_follow_each_other_and_the_last_repeats() -> None:
    agent = Scripted.turns("one", ["t", "wo"])
    assert [(await agent.run("hi")).text for _ in range(3)] == ["one", "two", "two"]


async def test_a_session_remembers_its_turn_on_another_instance() -> None:
    session = AgentSession(session_id="s")
    await Scripted.turns("one", "two").run("hi", session=session)
    restored = AgentSession.from_dict(session.to_dict())
    assert (await Scripted.turns("one", "two").run("hi", session=restored)).text == "two"


# Sessions


async def test_counting_numbers_the_turns_of_each_session() -> None:
    agent = Counting()
    a, b = agent.create_session(), agent.create_session()
    said = [(await agent.run("hi", session=session)).text for session in (a, a, b, None, None)]
    assert said == ["turn 1", "turn 2", "turn 1", "turn 1", "turn 1"]


async def test_counting_recalls_what_its_session_heard_and_nothing_else() -> None:
    agent = Counting()
    a, b = agent.create_session(), agent.create_session()
    await agent.run("tea", session=a)
    await agent.run("rum", session=b)
    await agent.run("milk", session=a)
    assert (await agent.run(Counting.RECALL, session=a)).text == "heard: tea | milk"
    assert (await agent.run(Counting.RECALL)).text == "heard: "


async def test_counting_survives_the_json_round_trip_of_a_session() -> None:
    session = AgentSession(session_id="s")
    await Counting().run("hi", session=session)
    assert (await Counting().run("hi", session=AgentSession.from_dict(session.to_dict()))).text == "turn 2"


async def test_a_cancelled_turn_shows_in_a_live_session_as_a_skipped_number() -> None:
    agent, session = Counting(), AgentSession()
    opened = agent.run("hi", stream=True, session=session)
    await anext(opened)
    await opened.close(asyncio.CancelledError())
    assert (await agent.run("hi", session=session)).text == "turn 2"


# Concurrency


async def test_a_gate_proves_that_two_runs_are_inside_at_once() -> None:
    gate = Gate()
    turns = [asyncio.ensure_future(gate.run(text)) for text in ("a", "b")]
    await gate.reached("a")
    await gate.reached("b")
    assert (gate.waiting("a"), gate.waiting("b")) == (1, 1)
    gate.release("b")
    assert (await turns[1]).text == "b"
    assert not turns[0].done()
    gate.release("a")
    assert (await turns[0]).text == "a"
    assert (await gate.run("a")).text == "a", "a released point stops nobody any more"


async def test_reached_counts_arrivals() -> None:
    gate = Gate()
    turns = [asyncio.ensure_future(gate.run("x")) for _ in range(2)]
    await gate.reached("x", times=2)
    gate.gates.release_all()
    await asyncio.gather(*turns)


def test_a_point_that_nobody_reaches_says_who_came_where() -> None:
    async def check() -> None:
        gate = Gate()
        other = asyncio.ensure_future(gate.run("other"))
        await gate.reached("other")
        try:
            await gate.reached("x")
        finally:
            other.cancel()
            with suppress(asyncio.CancelledError):
                await other

    with pytest.raises(AssertionError, match=r"0 of 1 runs reached 'x'.*\{'other': 1\}"):
        run_virtual(check)


async def test_a_cancelled_run_leaves_the_gate() -> None:
    gate = Gate()
    turn = asyncio.ensure_future(gate.run("x"))
    await gate.reached("x")
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert gate.waiting("x") == 0


# Misbehaviour


async def test_hang_says_its_piece_and_then_nothing_until_it_is_ended() -> None:
    agent = Hang("a", "b")
    opened = agent.run("hi", stream=True)
    assert [(await anext(opened)).text for _ in range(2)] == ["a", "b"]
    pull = asyncio.ensure_future(anext(opened))
    await asyncio.sleep(0)
    assert (agent.hanging, pull.done()) == (1, False)
    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull
    assert (agent.hanging, agent.ended) == (0, 1)


async def test_flood_counts_what_was_pulled_of_it() -> None:
    flood = Flood()
    opened = flood.run("hi", stream=True)
    assert [(await anext(opened)).text for _ in range(3)] == ["0 ", "1 ", "2 "]
    await opened.close(asyncio.CancelledError())
    assert (flood.n, flood.pulled) == (100_000, 3)
    assert len(await stream(Flood(500))) == 500


async def test_flood_gives_way_to_other_tasks() -> None:
    flood = Flood(1000)
    turn = asyncio.ensure_future(flood.run("hi"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert flood.pulled < 10
    await turn


@pytest.mark.parametrize("after", [0, 2])
async def test_failing_breaks_off_after_so_many_updates(after: int) -> None:
    opened = Failing(after=after).run("hi", stream=True)
    assert [(await anext(opened)).text for _ in range(after)] == ["0 ", "1 "][:after]
    with pytest.raises(RuntimeError, match=Failing.SECRET):
        await anext(opened)
    with pytest.raises(OSError, match="disk"):
        await Failing(OSError("disk"), after=after).run("hi")


async def test_the_corpora_are_said_whole_and_cut_at_every_character() -> None:
    for agent, corpus in ((Unicode(), NASTY_TEXTS), (Unicode(broken=True), NASTY_TEXTS + BROKEN_TEXTS)):
        assert (await agent.run("hi")).text == "\n".join(("hi", *corpus))
    assert all(len(update.text) == 1 for update in (await stream(Injection()))[1:])
    assert (await Injection().run("hi")).text == "\n".join(("hi", *INJECTIONS))


def test_the_nasty_texts_are_valid_and_the_broken_ones_are_not() -> None:
    assert all(text.encode().decode() == text for text in NASTY_TEXTS)
    for text in BROKEN_TEXTS:
        assert "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


# Recorder


async def test_the_recorder_logs_each_run_before_it_begins() -> None:
    recorder = Recorder(Echo())
    assert isinstance(recorder, SupportsAgentRun)
    session = AgentSession()
    session.state["client_state"] = {"n": 1}
    message = Message("user", ["hi"], additional_properties={"hosting": {"channel": "c"}})
    assert (
        await recorder.run([message], session=session, options={"temperature": 0}, tools=["t"])
    ).text == "hi"
    session.state["client_state"]["n"] = 2
    recorder.run("never awaited", stream=True)
    first, second = recorder.runs
    assert (first.text, first.hosting, first.session, first.stream) == (
        "hi",
        {"channel": "c"},
        session,
        False,
    )
    assert (first.options, first.kwargs) == ({"temperature": 0}, {"tools": ["t"]})
    assert first.state == {"client_state": {"n": 1}}
    assert (second.text, second.hosting, second.session, second.stream) == ("never awaited", {}, None, True)


async def test_the_recorder_passes_options_to_a_target_that_takes_them() -> None:
    inner = Recorder(Echo())
    await Recorder(inner).run("hi", options={"temperature": 0}, client_kwargs={"a": 1})
    (run,) = inner.runs
    assert (run.options, run.kwargs) == ({"temperature": 0}, {"client_kwargs": {"a": 1}})


async def test_a_plain_fake_refuses_options_as_core_protocol_has_none() -> None:
    run: Callable[..., Any] = Echo().run
    with pytest.raises(TypeError, match="options"):
        run("hi", options={})
