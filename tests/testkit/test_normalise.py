"""Normalising hides the values of ids and times, and never anything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting_testkit.streams.normalise import normalise, normalise_sse
from hosting_testkit.streams.sse import SSEEvent


def test_ids_are_named_by_kind_and_first_appearance_wherever_they_stand() -> None:
    events = [
        {"type": "created", "response": {"id": "resp_f81d"}, "item_id": "msg_9"},
        {
            "type": "done",
            "previous_response_id": "resp_zz",
            "quote": "resp_f81d",
            "call_ids": ["msg_9", "fc_1"],
        },
        {"taskId": "f81d4fae-7dec", "id": None},
    ]
    assert normalise(events) == [
        {"item_id": "msg_#1", "response": {"id": "resp_#1"}, "type": "created"},
        {
            "call_ids": ["msg_#1", "fc_#1"],
            "previous_response_id": "resp_#2",
            "quote": "resp_#1",
            "type": "done",
        },
        {"id": None, "taskId": "task_#1"},
    ]


def test_numbers_may_be_ids_and_keep_their_type() -> None:
    assert normalise([{"message_id": 7, "text": 7}, {"reply_to_message_id": 7}, {"message_id": "7"}]) == [
        {"message_id": "message_#1:int", "text": 7},
        {"reply_to_message_id": "message_#1:int"},
        {"message_id": "message_#1"},
    ]


def test_keys_are_sorted_at_every_depth() -> None:
    (event,) = normalise([{"b": {"d": 1, "c": [{"f": 1, "e": 2}]}, "a": 0}])
    assert repr(event) == "{'a': 0, 'b': {'c': [{'e': 2, 'f': 1}], 'd': 1}}"


def test_times_count_from_the_first_one() -> None:
    assert normalise(
        [
            {"created_at": 1_700_000_000},
            {"completed_at": 1_700_000_002.5, "cancelled_at": None},
            {"timestamp": "2023-11-14T22:13:23Z", "createdAt": 1_700_000_001_250},
            {"date": "tomorrow"},
        ]
    ) == [
        {"created_at": 0},
        {"cancelled_at": None, "completed_at": 2.5},
        {"createdAt": 1250, "timestamp": "t#+3.0"},
        {"date": "tomorrow"},
    ]


def test_a_text_that_looks_like_a_name_is_not_taken_for_one() -> None:
    assert normalise([{"id": "resp_1", "text": "resp_#1"}]) != normalise([{"id": "resp_1", "text": "resp_1"}])
    assert normalise([{"at": "t#+0.0"}]) != normalise([{"at": "2026-01-01T00:00:00Z"}])


def test_usage_numbers_booleans_and_other_text_stay() -> None:
    event = {"usage": {"total": 3}, "valid": "x_y", "paid": 4, "id": True, "text": "a\u2028b"}
    assert normalise([event]) == [event]


def test_a_value_that_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError, match="decode the event"):
        normalise([b"data: x"])


def test_the_data_of_sse_events_is_decoded() -> None:
    events = [SSEEvent("created", '{"id":"resp_9"}', id="4"), SSEEvent("message", "[DONE]")]
    assert normalise_sse(events) == [
        {"data": {"id": "resp_#1"}, "event": "created", "id": "id_#1", "retry": None},
        {"data": "[DONE]", "event": "message", "id": None, "retry": None},
    ]


# Properties: the normal form is the same exactly when nothing but values of ids and times differs.

IDS = st.lists(st.integers(0, 3), min_size=1, max_size=6)


def linked(ids: list[int], prefix: str = "item_", shift: float = 0) -> list[dict[str, Any]]:
    """Events that differ in their text alone, each pointing at an id."""
    return [
        {"n": n, "ref_id": f"{prefix}{number}", "created_at": shift + n / 4} for n, number in enumerate(ids)
    ]


def partition(ids: list[int]) -> list[int]:
    """Which positions share an id, however it is called."""
    return [ids.index(number) for number in ids]


@given(IDS, IDS)
def test_streams_agree_exactly_when_the_same_places_share_an_id(left: list[int], right: list[int]) -> None:
    assert (normalise(linked(left)) == normalise(linked(right))) == (partition(left) == partition(right))


@given(IDS, st.integers(0, 10**9))
def test_other_ids_and_another_start_give_the_same_form(ids: list[int], shift: int) -> None:
    renamed = [3 - number for number in ids]
    assert normalise(linked(ids, "item_abc")) == normalise(linked(renamed, "item_xyz", shift))


@given(IDS, st.randoms(use_true_random=False))
def test_another_order_gives_another_form(ids: list[int], random: Any) -> None:
    stream = linked(ids)
    shuffled = random.sample(stream, len(stream))
    assert (normalise(shuffled) == normalise(stream)) == (shuffled == stream)


@given(IDS, st.data())
def test_a_repeated_or_lost_event_gives_another_form(ids: list[int], data: st.DataObject) -> None:
    stream = linked(ids)
    place = data.draw(st.integers(0, len(stream) - 1))
    repeated = [*stream[: place + 1], *stream[place:]]
    lost = stream[:place] + stream[place + 1 :]
    assert normalise(stream) not in (normalise(repeated), normalise(lost))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("at_#1+:int0", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_values_without_ids_and_times_keep_every_difference(left: Any, right: Any) -> None:
    def same(a: Any, b: Any) -> bool:
        return repr(normalise([a])) == repr(normalise([b]))

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(value[key]) for key in sorted(value)}
        return [ordered(item) for item in value] if isinstance(value, list) else value

    assert same(left, right) == (repr(ordered(left)) == repr(ordered(right)))


@given(st.text("ab_#1t+", max_size=5), st.text("ab_#1t+", max_size=5))
def test_texts_beside_ids_keep_every_difference(left: str, right: str) -> None:
    streams = [
        [{"id": "a_1", "at": "2026-01-01T00:00:00Z"}, {"text": text, "at": text}] for text in (left, right)
    ]
    assert (normalise(streams[0]) == normalise(streams[1])) == (left == right)
