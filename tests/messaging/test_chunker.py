"""Splitting counts in the platform's unit and loses nothing (messaging 2.1)."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.messaging import split_utf16, utf16_length

CHARACTERS = {
    "flag": "\U0001f1e9\U0001f1ea",
    "flag of a region": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "skin": "\U0001f44d\U0001f3fd",
    "heart": "\u2764\ufe0f",
    "accents": "e\u0301\u0323",
    "enclosed": "a\u0489",
    "thai am": "\u0e01\u0e33",
    "lao am": "\u0e81\u0eb3",
    "devanagari vowel": "\u0915\u093f",
    "devanagari conjunct": "\u0915\u094d\u0937",
    "tamil": "\u0bae\u0bbf",
    "hangul letters": "\u1112\u1161\u11ab",
    "old hangul": "\u1100\u1100\u1161",
    "hangul syllable": "\ud558\u11ab",
    "halfwidth voiced": "\uff76\uff9e",
    "blank with an accent": " \u0301",
    "line end": "\r\n",
    "letter": "x",
    "blank": " ",
}
"""What a reader takes for one character each."""

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


@given(st.lists(st.sampled_from(sorted(CHARACTERS.values())), max_size=120), st.integers(14, 80))
def test_no_cut_is_inside_what_a_reader_takes_for_one_character(characters: list[str], limit: int) -> None:
    ends = set(accumulate(map(len, characters)))
    parts = split_utf16("".join(characters), limit)
    assert set(accumulate(map(len, parts))) <= ends


@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
def test_of_many_alike_as_many_as_fit_are_in_a_part(character: str) -> None:
    size = utf16_length(character)
    for limit in range(size, 3 * size + 1):
        fit = limit // size
        assert split_utf16(character * 12, limit)[0] == character * fit


def test_a_character_longer_than_a_part_is_cut_all_the_same() -> None:
    assert split_utf16("a" + "\u0301" * 5, 4) == ["a\u0301\u0301\u0301", "\u0301\u0301"]
