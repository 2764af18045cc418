"""Request bodies on the wire (contract 6.10, 14.1, 16.1)."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from hosting.errors import BodyTooLarge, BodyTooSlow, RequestError, UnsupportedMedia
from hosting.web import MAX_JSON_DEPTH, ClientGone, decode_json_object, read_body, read_json_object
from hosting_testkit.clock import virtual_time
from tests.web.asgi import Exchange

JSON = {"content-type": "application/json"}


def request(exchange: Exchange) -> Request:
    return Request(exchange.scope, exchange.receive, exchange.send)


async def test_a_body_is_joined_from_its_pieces() -> None:
    assert await read_body(request(Exchange("POST", pieces=[b"one", b"", b"two"])), 6) == b"onetwo"


async def test_a_request_without_a_body_reads_as_empty() -> None:
    assert await read_body(request(Exchange("POST")), 0) == b""


async def test_a_body_over_the_limit_is_refused_before_the_rest_is_read() -> None:
    exchange = Exchange("POST", pieces=[b"12345", b"67890", b"never read"])

    with pytest.raises(BodyTooLarge, match="larger than 8 bytes") as refused:
        await read_body(request(exchange), 8)

    assert refused.value.status == 413
    assert exchange.pieces_read == 2


@pytest.mark.parametrize("length", ["9", "9" * 5000])
async def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read(length: str) -> None:
    exchange = Exchange("POST", headers={"content-length": length}, pieces=[b"123456789"])

    with pytest.raises(BodyTooLarge):
        await read_body(request(exchange), 8)

    assert exchange.pieces_read == 0


async def test_a_declared_length_cannot_hide_a_longer_body() -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(request(Exchange("POST", headers={"content-length": "1"}, pieces=[b"12345"])), 4)


@pytest.mark.parametrize("length", ["-1", "1e3", "²", ""])
async def test_a_declared_length_that_is_no_number_is_refused(length: str) -> None:
    with pytest.raises(RequestError, match="Content-Length"):
        await read_body(request(Exchange("POST", headers={"content-length": length})), 8)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "deflate"])
async def test_a_compressed_body_is_refused_unread(encoding: str) -> None:
    exchange = Exchange("POST", headers={"content-encoding": encoding}, pieces=[b"\x1f\x8b"])

    with pytest.raises(UnsupportedMedia):
        await read_body(request(exchange), 100)

    assert exchange.pieces_read == 0


async def test_identity_is_no_compression() -> None:
    exchange = Exchange("POST", headers={"content-encoding": "Identity"}, pieces=[b"plain"])

    assert await read_body(request(exchange), 100) == b"plain"


@pytest.mark.parametrize("pieces", [[], [b'{"half":']])
async def test_a_client_that_leaves_while_it_sends_is_gone(pieces: list[bytes]) -> None:
    exchange = Exchange("POST", headers=JSON, pieces=pieces, complete=False)
    exchange.leave()

    with pytest.raises(ClientGone):
        await read_json_object(request(exchange), 100)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/cloudevents+json",
        "application/a2a+json",
    ],
)
async def test_json_media_types_are_read(content_type: str) -> None:
    exchange = Exchange("POST", headers={"content-type": content_type}, pieces=[b'{"a":', b"1}"])

    assert await read_json_object(request(exchange), 100) == {"a": 1}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/jsonp", "multipart/form-data", "text/x+json", ""]
)
async def test_another_content_type_is_refused_unread(content_type: str) -> None:
    exchange = Exchange("POST", headers={"content-type": content_type}, pieces=[b"{}"])

    with pytest.raises(UnsupportedMedia) as refused:
        await read_json_object(request(exchange), 100)

    assert refused.value.status == 415
    assert exchange.pieces_read == 0


async def test_a_body_without_a_content_type_is_refused_and_an_empty_one_called_empty() -> None:
    with pytest.raises(UnsupportedMedia):
        await read_json_object(request(Exchange("POST", pieces=[b"{}"])), 100)
    with pytest.raises(RequestError, match="it is empty"):
        await read_json_object(request(Exchange("POST")), 100)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"a":1', "it ends too early"),
        (b'{"a"', "it ends too early"),
        (b'{"a":1}x', "unexpected input at byte"),
        (b'\xef\xbb\xbf{"a":1}', "unexpected input at byte 0"),
        (b'{"a":"\xff"}', "byte 6 is not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "byte 6 is not UTF-8"),
        (b"[1]", "found an array"),
        (b'"text"', "found a string"),
        (b"1", "found a number"),
        (b"1.5", "found a number"),
        (b"true", "found a boolean"),
        (b"null", "found null"),
        (b"[" * 100_000, "nests deeper than 128 levels"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nests deeper than 128 levels"),
        (b'{"a":' * 129 + b"1" + b"}" * 129, "nests deeper than 128 levels"),
        (b'{"a":' + b"9" * 5_000 + b"}", "a number out of range"),
        (b'{"a":[1,' + b"9" * 400 + b"]}", "an integer beyond 64 bits"),
        (b'{"a":-9223372036854775809}', "an integer beyond 64 bits"),
        (b'{"a":1e999}', "a number out of range"),
        (b'{"a":NaN}', "unexpected input at byte 5"),
        (b'{"a":-Infinity}', "JSON"),
        (b'{"a":"\\ud800"}', "a lone surrogate"),
        (b'{"a":"\\ud800 and more text"}', "a lone surrogate"),
        (b'{"a":"\\udfff"}', "a lone surrogate"),
        (b'{"\\udc00":1}', "a lone surrogate"),
        (b'{"a":"\\ud800\\ud800"}', "a lone surrogate"),
        (b'{"a":"x\\u0000y"}', "a NUL character"),
        (b'{"a":[{"b":"\\u0000"}]}', "a NUL character"),
        (b'{"a":[{"b\\u0000":1}]}', "a NUL character"),
        (b'{"a":"\x00"}', "unexpected input at byte 6"),
    ],
)
def test_a_bad_body_is_a_400_that_says_what_is_wrong(raw: bytes, complaint: str) -> None:
    with pytest.raises(RequestError) as refused:
        decode_json_object(raw)

    assert refused.value.status == 400
    assert complaint in refused.value.message


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"emoji": "😀", "escaped": "\\u0000 in words", "nested": [[{"a": None}], True, 1.5]},
        {"smallest": -(1 << 63), "largest": (1 << 64) - 1},
        {"same key twice is": "the last"},
    ],
)
def test_what_is_read_encodes_again(value: dict[str, Any]) -> None:
    assert decode_json_object(msgspec.json.encode(value)) == value


def test_surrogate_pairs_and_duplicate_keys_are_read() -> None:
    assert decode_json_object(b'{"a":"\\ud83d\\ude00","b":1,"b":2}') == {"a": "😀", "b": 2}


def test_nesting_up_to_the_limit_is_read() -> None:
    decode_json_object(b'{"a":' * MAX_JSON_DEPTH + b"1" + b"}" * MAX_JSON_DEPTH)


@given(st.binary(max_size=40) | st.text('{}[]":,\\u0d8cf19eE-. ', max_size=40).map(str.encode))
def test_no_bytes_at_all_raise_anything_but_a_request_error(raw: bytes) -> None:
    try:
        body = decode_json_object(raw)
    except RequestError:
        return
    assert decode_json_object(msgspec.json.encode(body)) == body


class Dribble:
    """A sender that lets `pause` seconds pass before each piece."""

    def __init__(self, pieces: int, size: int, pause: float) -> None:
        self._left, self._size, self._pause = pieces, size, pause

    async def receive(self) -> Message:
        await asyncio.sleep(self._pause)
        self._left -= 1
        return {"type": "http.request", "body": b"x" * self._size, "more_body": self._left > 0}


@virtual_time
async def test_a_body_that_only_holds_the_connection_is_given_up() -> None:
    dribble = Dribble(pieces=1000, size=1, pause=1.0)

    with pytest.raises(BodyTooSlow, match="too slowly") as refused:
        await read_body(Request(Exchange("POST").scope, dribble.receive), 2000)

    assert refused.value.status == 408


@virtual_time
async def test_a_body_that_never_goes_on_is_given_up() -> None:
    with pytest.raises(BodyTooSlow):
        await read_body(request(Exchange("POST", pieces=[b"{"], complete=False)), 8)


@virtual_time
async def test_a_large_body_over_a_bad_line_may_take_its_time() -> None:
    dribble = Dribble(pieces=100, size=1000, pause=1.0)

    assert len(await read_body(Request(Exchange("POST").scope, dribble.receive), 1_000_000)) == 100_000
