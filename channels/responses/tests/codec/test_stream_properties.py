"""For any script: a valid stream that adds up to what core folds (contract 7.2)."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content
from hypothesis import given
from hypothesis import strategies as st

from channels.responses.tests.codec.scripts import folded, streamed, update
from channels.responses.tests.oracles import accumulated, check_stream, said_in

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
_CALLS = st.sampled_from(["c1", "c2"])


def _message(texts: st.SearchStrategy[Content]) -> st.SearchStrategy[Content]:
    return st.one_of(
        texts,
        _TEXTS.map(lambda value: Content.from_text_reasoning(text=value)),
        st.builds(
            lambda call_id, value: Content.from_function_call(call_id, "f", arguments=value), _CALLS, _TEXTS
        ),
        st.just(Content.from_data(b"x", "image/png")),
        st.just(Content.from_search_tool_call("s", tool_name="web")),
    )


_APPENDS = _message(_TEXTS.map(Content.from_text))
_MERGES = _message(
    st.builds(
        lambda value, mode: Content.from_text(value, merge_mode=mode),
        _TEXTS,
        st.sampled_from(["append", "replace"]),
    )
)


@st.composite
def scripts(draw: st.DrawFn, contents: st.SearchStrategy[Content]) -> list[AgentResponseUpdate]:
    """Messages of the assistant, each followed by the results of tools, as core's function loop gives them."""
    updates: list[AgentResponseUpdate] = []
    for number in range(draw(st.integers(1, 3))):
        ids = st.sampled_from([None, f"m{number}"])
        contents_of = draw(st.lists(contents, max_size=8))
        updates += [update(one, role="assistant", message_id=draw(ids)) for one in contents_of]
        if draw(st.booleans()):
            updates.append(update(Content.from_function_result("c1", result="ok"), role="tool"))
    return updates


def _without_ids(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in item.items() if key != "id"} for item in items]


@given(scripts(_APPENDS))
def test_a_stream_of_appends_equals_the_one_shot_answer_item_by_item(updates: list[AgentResponseUpdate]):
    events = streamed(updates)

    final = check_stream(events)
    assert _without_ids(final["output"]) == _without_ids(folded(updates))
    assert [item.to_dict()["id"] for item in accumulated(events).output] == [
        item["id"] for item in final["output"]
    ]


@given(scripts(_MERGES))
def test_a_stream_with_replacements_holds_every_item_of_the_fold_in_order(updates: list[AgentResponseUpdate]):
    final = check_stream(streamed(updates))

    rest = iter(
        [(item["type"], said_in(item)) for item in final["output"] if item["type"] != "image_generation_call"]
    )
    for item in folded(updates):
        if item["type"] != "image_generation_call":
            assert (item["type"], said_in(item)) in rest


@given(st.lists(_TEXTS, min_size=1, max_size=6))
def test_the_closing_replacement_of_a_real_client_changes_nothing(pieces: list[str]):
    whole = Content.from_text("".join(pieces), merge_mode="replace")
    updates = [*(update(Content.from_text(piece)) for piece in pieces), update(whole)]

    final = check_stream(streamed(updates))
    assert [said_in(item) for item in final["output"]] == [AgentResponse.from_updates(updates).text]
