"""What a payload may hold, and what is said of what it may not (contract 11.1, 17.3)."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from hosting import ReadOnlyMap
from hosting.durable import PayloadUndecodable, PushPayloadNotSerializable
from hosting.durable.payload import decode_payload, encode_payload


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        ({"chats": [1, {"id": b"secret"}]}, r"payload\.chats\[1\]\.id: found a bytes"),
        ({"a": {2: "secret"}}, r"payload\.a: found a key of type int"),
        ([float("inf")], r"payload\[0\]: found a number that is not finite"),
        (Colour.RED, "payload: found a Colour"),
        ({Colour.RED: 1}, "payload: found a key of type Colour"),
        ({"secret"}, "payload: found a set"),
        pytest.param(10**5000, "payload: found an int of thousands of digits", id="long int"),
    ],
)
def test_the_place_is_named_and_the_value_is_not(payload: Any, where: str) -> None:
    with pytest.raises(PushPayloadNotSerializable, match=where) as refused:
        encode_payload(payload)
    assert "secret" not in str(refused.value)
    assert "Convert it" in str(refused.value)


def test_a_structure_without_a_bottom_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PushPayloadNotSerializable, match="contains itself or is nested too deeply"):
        encode_payload(deep)


def test_read_only_maps_and_tuples_are_taken() -> None:
    assert decode_payload(encode_payload({"a": ReadOnlyMap({"b": (1, 2)})})) == {"a": {"b": [1, 2]}}


def test_the_text_is_ascii_without_control_characters() -> None:
    text = encode_payload("\x00\ud800\n é")
    assert text.isascii() and text.isprintable()
    assert decode_payload(text) == "\x00\ud800\n é"


@pytest.mark.parametrize("text", ["", "{", "nope", "[" * 100_000])
def test_what_is_no_json_is_undecodable(text: str) -> None:
    with pytest.raises(PayloadUndecodable):
        decode_payload(text)
