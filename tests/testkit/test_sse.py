"""The SSE parser reads what WHATWG says and objects to what a strict client would choke on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting_testkit.streams.sse import (
    SSEComment,
    SSEEvent,
    SSEFormatError,
    SSEParser,
    SSERecord,
    sse_events,
    sse_records,
    validate_sse,
)

SAMPLE = "event: delta\ndata: gr\u00fc\u00df dich \U0001f600\nid: 7\n\n: ping\n\ndata: a\ndata:  b\nretry: 250\n\n".encode()
EVENTS: list[SSERecord] = [
    SSEEvent("delta", "gr\u00fc\u00df dich \U0001f600", id="7"),
    SSEComment("ping"),
    SSEEvent("message", "a\n b", retry=250),
]


def parse(*chunks: bytes) -> tuple[list[SSERecord], list[str]]:
    parser = SSEParser()
    records = [record for chunk in chunks for record in parser.feed(chunk)]
    parser.finish()
    return records, [violation.rule for violation in parser.violations]


async def sent(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@given(st.lists(st.integers(0, len(SAMPLE))), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_the_cuts_between_chunks_and_the_kind_of_line_end_never_matter(
    cuts: list[int], line_end: bytes
) -> None:
    stream = SAMPLE.replace(b"\n", line_end)
    edges = [0, *sorted(cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert parse(*chunks) == (EVENTS, [])


def test_one_byte_at_a_time_gives_the_same_as_one_piece() -> None:
    crlf = SAMPLE.replace(b"\n", b"\r\n")
    assert parse(*(bytes([byte]) for byte in crlf)) == parse(crlf) == (EVENTS, [])


def test_an_event_is_given_as_soon_as_its_blank_line_begins() -> None:
    parser = SSEParser()
    assert parser.feed(b"data: x\r\n\r") == [SSEEvent("message", "x")]
    assert parser.feed(b"\ndata: y\r\n\r\n") == [SSEEvent("message", "y")]
    assert parser.violations == []


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_cr_and_lf_end_a_line(char: str) -> None:
    assert parse(f"data: a{char}b\n\n".encode()) == ([SSEEvent("message", f"a{char}b")], [])


def test_a_byte_order_mark_is_dropped_at_the_start_and_nowhere_else() -> None:
    mark = "\ufeff".encode()
    assert parse(mark[:1], mark[1:] + b"data: x\n\n") == ([SSEEvent("message", "x")], [])
    assert parse(b"data: x\n\n" + mark + b"data: y\n\n") == ([SSEEvent("message", "x")], ["raw-newline"])


def test_only_one_space_after_the_colon_is_dropped_and_the_colon_may_be_missing() -> None:
    assert parse(b"data:  x\n\ndata\n\ndata:y:z\n\n")[0] == [
        SSEEvent("message", " x"),
        SSEEvent("message", ""),
        SSEEvent("message", "y:z"),
    ]


def test_the_last_event_id_stays_until_another_id_and_an_empty_id_clears_it() -> None:
    parser = SSEParser()
    parser.feed(b"id: 4\ndata: x\n\ndata: y\n\n")
    assert parser.last_event_id == "4"
    parser.feed(b"id\ndata: z\n\n")
    assert parser.last_event_id == ""


@pytest.mark.parametrize(
    ("stream", "rule"),
    [
        (b"data: one\ntwo\n\n", "raw-newline"),
        (b"data: one\rtwo\n\n", "raw-newline"),
        (b"data: one\rdata: injected\n\n", "raw-newline"),
        (b"data: one\n", "unterminated"),
        (b"data: one", "unterminated"),
        (b"data: one\n\ndata: tw", "unterminated"),
        (b"data: \xff\n\n", "not-utf8"),
        (b"data: \xf0\x9f\n\ndata: \x98\x80\n\n", "not-utf8"),
        (b"event: end\n\n", "no-data"),
        (b"id: a\0b\ndata: x\n\n", "bad-id"),
        (b"retry: 1.5\ndata: x\n\n", "bad-retry"),
        ("retry: \u0663\ndata: x\n\n".encode(), "bad-retry"),
    ],
)
def test_a_strict_reader_objects(stream: bytes, rule: str) -> None:
    assert rule in parse(stream)[1]


@pytest.mark.parametrize(
    "stream", [b"", b": ping\n", b"retry: 100\n\n", b"id: 1\n\n", b"\n\n\ndata: x\n\n\n\n"]
)
def test_a_strict_reader_has_no_objection(stream: bytes) -> None:
    assert parse(stream)[1] == []


@pytest.mark.parametrize("found", ["text/event-stream", "Text/Event-Stream; charset=UTF-8"])
def test_the_media_type_may_only_have_a_utf8_charset(found: str) -> None:
    assert validate_sse(found, SAMPLE) == []


@pytest.mark.parametrize(
    "found", ["", "text/plain", "text/event-stream; charset=latin-1", "text/event-streams"]
)
def test_any_other_media_type_is_a_violation_of_the_head(found: str) -> None:
    (violation,) = validate_sse(found, SAMPLE)
    assert (violation.rule, violation.frame) == ("media-type", 0)


def test_a_violation_names_its_frame() -> None:
    (violation,) = validate_sse("text/event-stream", b"data: 1\n\ndata: 2\n\nstray\n\n")
    assert violation.frame == 3


async def test_events_are_read_from_chunks_and_comments_only_on_demand() -> None:
    assert [event async for event in sse_events(sent(SAMPLE[:9], SAMPLE[9:]))] == [EVENTS[0], EVENTS[2]]
    assert [record async for record in sse_records(sent(SAMPLE))] == EVENTS


async def test_a_strict_reading_gives_what_came_before_the_violation_and_then_raises() -> None:
    reading = sse_events(sent(b"data: 1\n\n", b"stray\n\ndata: 2\n\n", b"data: never read\n\n"))
    assert [(await anext(reading)).data, (await anext(reading)).data] == ["1", "2"]
    with pytest.raises(SSEFormatError, match="raw-newline in frame 2"):
        await anext(reading)


async def test_a_stream_cut_inside_a_frame_raises_at_its_end() -> None:
    with pytest.raises(SSEFormatError, match="unterminated"):
        _ = [event async for event in sse_events(sent(b"data: 1\n"))]
    assert [event async for event in sse_events(sent(b"data: 1\n"), strict=False)] == []
