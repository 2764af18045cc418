"""The fold against core's own, on updates of every shape (contract 7.2)."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message
from hypothesis import given
from hypothesis import strategies as st

from channels.invocations.tests.serving import assembled
from hosting_invocations.codec import AnswerFold, Event, encode, replayed

TEXT = st.text("ab ", max_size=3)
MERGE = st.sampled_from([None, "append"])


def call(call_id: str, arguments: str) -> Content:
    return Content.from_function_call(call_id, "tool", arguments=arguments)


CONTENTS = st.one_of(
    st.builds(Content.from_text, TEXT, merge_mode=MERGE),
    st.builds(lambda text, mode: Content.from_text_reasoning(text=text, merge_mode=mode), TEXT, MERGE),
    st.builds(lambda text: Content.from_text_reasoning(text=text, merge_mode="replace"), TEXT),
    st.builds(call, st.sampled_from(["c1", "c2"]), TEXT),
    st.builds(lambda text: Content.from_function_result("c1", result=text), TEXT),
    st.just({"input_token_count": 1, "output_token_count": 2}).map(lambda usage: Content.from_usage(usage)),  # pyright: ignore[reportArgumentType] - a UsageDetails
    st.just(Content.from_data(b"x", "image/png")),
)
UPDATES = st.lists(
    st.builds(
        AgentResponseUpdate,
        contents=st.lists(CONTENTS, max_size=3),
        role=st.sampled_from(["assistant", "tool"]),
        message_id=st.sampled_from([None, "m1", "m2"]),
        finish_reason=st.sampled_from([None, None, "stop"]),
    ),
    max_size=8,
)


def streamed(updates: list[AgentResponseUpdate], portion: int) -> tuple[AnswerFold, list[Event]]:
    fold, events = AnswerFold(), list[Event]()
    for start in range(0, len(updates), portion):
        events += fold.feed(updates[start : start + portion])
    return fold, [*events, *fold.flush()]


def folded(updates: list[AgentResponseUpdate]) -> AnswerFold:
    fold = AnswerFold()
    for message in AgentResponse[Any].from_updates(updates).messages:
        fold.feed_message(message)
    return fold


@given(UPDATES, st.integers(1, 4))
def test_streamed_items_are_those_of_cores_fold(updates: list[AgentResponseUpdate], portion: int) -> None:
    fold, events = streamed(updates, portion)

    assert assembled([*events, ("completed", {})]) == fold.messages()
    assert fold.messages() == folded(updates).messages()
    assert fold.usage == AgentResponse[Any].from_updates(updates).usage_details


@given(UPDATES)
def test_a_replay_says_what_the_stream_said(updates: list[AgentResponseUpdate]) -> None:
    fold, _ = streamed(updates, 1)
    answer = {"status": "completed", "messages": fold.messages()}

    assert assembled(list(replayed(answer))) == answer["messages"]


@given(st.lists(st.tuples(TEXT, st.sampled_from([None, "replace"])), max_size=6))
def test_text_that_was_sent_is_never_taken_back(pieces: list[tuple[str, Any]]) -> None:
    updates = [
        AgentResponseUpdate(role="assistant", contents=[Content.from_text(text, merge_mode=mode)])
        for text, mode in pieces
    ]
    fold, events = streamed(updates, 1)
    last = [item["text"] for message in fold.messages() for item in message["content"]][-1:]

    assert assembled([*events, ("completed", {})]) == fold.messages()
    assert last == [text for text in [AgentResponse[Any].from_updates(updates).text] if text or last]


def test_an_update_that_replaces_its_message_sends_what_is_new() -> None:
    def update(*texts: str, mode: Any = None) -> AgentResponseUpdate:
        contents = [Content.from_text(text) for text in texts]
        return AgentResponseUpdate(role="assistant", contents=contents, message_id="m", merge_mode=mode)

    cases = {
        ("one two",): ["one two!"],
        ("one",): ["one!"],
        ("one", " two"): ["one two!"],
        ("three",): ["one", "three!"],
        (): ["one", "!"],
    }
    for texts, items in cases.items():
        fold, events = streamed([update("one"), update(*texts, mode="replace"), update("!")], 1)
        assert [item["text"] for item in fold.messages()[0]["content"]] == items
        assert assembled([*events, ("completed", {})]) == fold.messages()


def test_a_call_that_grows_after_it_was_told_is_told_again() -> None:
    fold = AnswerFold()
    pieces: list[Content] = [call("c1", '{"a"'), Content.from_text("x"), call("c1", ": 1}")]
    events = [
        event
        for piece in pieces
        for event in fold.feed([AgentResponseUpdate(role="assistant", contents=[piece])])
    ] + fold.flush()

    assert [name for name, _ in events] == ["item", "delta", "item"]
    assert events[-1][1]["content"]["arguments"] == '{"a": 1}'


def test_contents_of_a_finished_message_stay_apart() -> None:
    fold = AnswerFold()
    fold.feed_message(Message("assistant", ["a", "b"]))

    assert [item["text"] for item in fold.messages()[0]["content"]] == ["a", "b"]


def test_what_is_no_json_is_told_as_text() -> None:
    fold = AnswerFold()
    odd = Content.from_function_call("c", "tool", arguments={"x": {1, 2}.__class__})
    fold.feed(
        [
            AgentResponseUpdate(
                role="assistant", contents=[odd, Content.from_error(message="secret", error_code="e1")]
            )
        ]
    )

    told = encode(fold.messages()).decode()
    assert '"code":"e1"' in told
    assert "secret" not in told
