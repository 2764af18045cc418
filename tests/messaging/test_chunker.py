"""Splitting counts in the platform's unit and loses nothing (messaging 2.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.messaging import split_utf16, utf16_length

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(TEXTS, st.integers(2, 40))
def test_the_parts_fit_and_give_the_text_again(text: str, limit: int) -> None:
    parts = split_utf16(text, limit)
    assert "".join(parts) == text
    assert all(0 < utf16_length(part) <= limit for part in parts)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, []),
        ("short", 10, ["short"]),
        ("0123456789", 10, ["0123456789"]),
        ("one two three", 8, ["one two ", "three"]),
        ("\U0001f600\U0001f600\U0001f600", 4, ["\U0001f600\U0001f600", "\U0001f600"]),
        ("aaa\u0301aaa", 3, ["aa", "a\u0301a", "aa"]),
    ],
)
def test_cuts_come_behind_words_and_never_inside_a_character(text: str, limit: int, parts: list[str]) -> None:
    assert split_utf16(text, limit) == parts


def test_utf16_counts_what_lies_beyond_the_basic_plane_twice() -> None:
    assert utf16_length("a\U0001f600") == 3
