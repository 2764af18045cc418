"""Server-Sent Events on the wire (contract 7.6, WHATWG HTML 9.2)."""

from __future__ import annotations

import pytest

from hosting.web import KEEP_ALIVE, sse_comment, sse_event


def test_an_event_carries_its_type_and_its_data_and_no_id() -> None:
    assert sse_event(b'{"a":1}', event="delta") == b'event: delta\ndata: {"a":1}\n\n'
    assert sse_event("[DONE]") == b"data: [DONE]\n\n"


def test_an_id_is_sent_only_when_asked_for() -> None:
    assert sse_event(b"{}", event="delta", id="7") == b"event: delta\nid: 7\ndata: {}\n\n"
    assert sse_event(b"{}", id="7") == b"id: 7\ndata: {}\n\n"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_of_the_data_becomes_a_data_line(line_end: str) -> None:
    data = f"one{line_end}event: forged{line_end}"

    assert sse_event(data) == b"data: one\ndata: event: forged\ndata: \n\n"


@pytest.mark.parametrize("forged", ["a\nevent: b", "a\rb", "a\0b"])
def test_a_field_that_would_start_another_is_refused(forged: str) -> None:
    with pytest.raises(ValueError, match="'event'"):
        sse_event(b"{}", event=forged)
    with pytest.raises(ValueError, match="'id'"):
        sse_event(b"{}", id=forged)


def test_text_that_utf_8_cannot_hold_is_replaced_and_pairs_are_joined() -> None:
    assert sse_event("a\ud800b") == "data: a\ufffdb\n\n".encode()
    assert sse_event("\ud83d\ude00\udc00") == "data: 😀\ufffd\n\n".encode()


def test_a_comment_cannot_end_early() -> None:
    assert sse_comment("one\n\ntwo") == b": one\n: \n: two\n\n"
    assert sse_comment("keep-alive") == KEEP_ALIVE
