"""Streamed texts are the texts of the fold, item by item (contract 7.2)."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content
from hypothesis import given
from hypothesis import strategies as st

from hosting.messaging import StreamedItems, text_items


def text(words: str, **kwargs: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(contents=[Content.from_text(words, **kwargs)], role="assistant")


def streamed(*updates: AgentResponseUpdate) -> tuple[list[str], list[str]]:
    """The texts at the end, and what a reader pieced together."""
    items, seen = StreamedItems(), dict[int, str]()
    for update in updates:
        for item, piece in items.add(update):
            seen[item] = seen.get(item, "") + piece
    return items.texts, [seen.get(index, "") for index in range(len(items.texts))]


def test_an_equal_replacement_sends_nothing() -> None:
    assert streamed(text("Hello "), text("you"), text("Hello you", merge_mode="replace"))[1] == ["Hello you"]


def test_a_longer_replacement_sends_the_rest() -> None:
    assert streamed(text("Hello"), text("Hello you", merge_mode="replace"))[1] == ["Hello you"]


def test_a_different_replacement_begins_a_new_item() -> None:
    assert streamed(text("Hello"), text("Bye", merge_mode="replace"))[1] == ["Hello", "Bye"]


def test_text_behind_a_tool_call_is_an_item_of_its_own() -> None:
    call = AgentResponseUpdate(
        contents=[Content.from_function_call("c", "f", arguments="{}")], role="assistant"
    )
    assert streamed(text("one"), call, text("two"), text("two", merge_mode="replace"))[1] == ["one", "two"]


UPDATES = st.builds(
    AgentResponseUpdate,
    contents=st.lists(
        st.sampled_from(["a", "b ", ""]).map(Content.from_text)
        | st.builds(Content.from_function_result, st.just("call"), result=st.just("r")),
        max_size=2,
    ),
    role=st.sampled_from([None, "user", "assistant", "tool", "system"]),
    message_id=st.sampled_from([None, "one", "two"]),
    author_name=st.sampled_from([None, "ann", "ben"]),
)


@given(st.lists(UPDATES, max_size=6))
def test_whoever_speaks_a_stream_gives_the_texts_of_the_one_shot_answer(
    updates: list[AgentResponseUpdate],
) -> None:
    fold: AgentResponse[Any] = AgentResponse.from_updates(updates)
    assert streamed(*updates)[0] == text_items(fold)


def test_what_is_said_in_the_callers_name_is_not_shown() -> None:
    quoted = AgentResponseUpdate(contents=[Content.from_text("question")], role="user")
    assert streamed(quoted, text("answer"))[1] == ["answer"]


@given(st.lists(st.sampled_from(["a", "b ", "c"]), max_size=6), st.booleans())
def test_a_stream_gives_the_texts_of_the_one_shot_answer(words: list[str], closed: bool) -> None:
    updates = [text(word) for word in words]
    if closed and words:
        updates.append(text("".join(words), merge_mode="replace"))
    fold: AgentResponse[Any] = AgentResponse.from_updates([text(word) for word in words])
    assert streamed(*updates)[1] == text_items(fold)
