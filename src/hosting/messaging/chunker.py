"""Splits a text where a platform's limit asks for it, counted in the platform's own unit (messaging 2.1)."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Mc", "Me"})
_LETTERS_THAT_JOIN = frozenset("\u0e33\u0eb3\uff9e\uff9f")
"""Thai and Lao AM, halfwidth voice marks: letters to Unicode, marks to a reader."""

_VIRAMA = 9
"""The combining class of what joins two consonants into one sign."""


def utf16_length(text: str) -> int:
    """The length of `text` in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def split_utf16(text: str, limit: int) -> list[str]:
    """`text` in parts of at most `limit` UTF-16 units that give it again when joined.

    Cuts behind white space where there is some in the second half of a part, else between two characters that do not
    belong together.
    """
    parts: list[str] = []
    while text:
        end = _longest_prefix(text, limit)
        if end < len(text):
            end = _better_cut(text, end)
        parts.append(text[:end])
        text = text[end:]
    return parts


def _longest_prefix(text: str, limit: int) -> int:
    used = 0
    for index, char in enumerate(text):
        used += 2 if ord(char) > 0xFFFF else 1
        if used > limit:
            return index
    return len(text)


def _better_cut(text: str, end: int) -> int:
    for cut in range(end, end // 2, -1):
        if text[cut - 1].isspace() and not _is_inside_character(text, cut):
            return cut
    for cut in range(end, 0, -1):
        if not _is_inside_character(text, cut):
            return cut
    return end


def _is_inside_character(text: str, cut: int) -> bool:
    """Whether a reader takes what stands before and behind `cut` for one character."""
    before, behind = text[cut - 1], text[cut]
    return (
        _adds_to_any(behind)
        or before == _JOINER
        or (before == "\r" and behind == "\n")
        or (unicodedata.combining(before) == _VIRAMA and unicodedata.category(behind) == "Lo")
        or (_goes_on(behind) and _is_hangul(before))
        or (_begins(before) and _is_hangul(behind))
        or (_is_regional(behind) and _regionals_before(text, cut) % 2 == 1)
    )


def _adds_to_any(char: str) -> bool:
    return (
        unicodedata.category(char) in _MARKS
        or char in _LETTERS_THAT_JOIN
        or char in "\u200c\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # the letters of regions' flags
    )


def _begins(char: str) -> bool:
    """A consonant that a Hangul syllable begins with."""
    return "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c"


def _goes_on(char: str) -> bool:
    """A vowel or a consonant that a Hangul syllable goes on with."""
    return "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7fb"


def _is_hangul(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\ua960" <= char <= "\ua97c" or "\uac00" <= char <= "\ud7fb"


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _regionals_before(text: str, cut: int) -> int:
    start = cut
    while start and _is_regional(text[start - 1]):
        start -= 1
    return cut - start
