"""Splits a text where a platform's limit asks for it, counted in the platform's own unit (messaging 2.1)."""

from __future__ import annotations

import unicodedata

_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


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
        if text[cut - 1].isspace():
            return cut
    for cut in range(end, end // 2, -1):
        if not _belongs_to_previous(text[cut]) and text[cut - 1] not in _JOINERS:
            return cut
    return end


def _belongs_to_previous(char: str) -> bool:
    return char in _JOINERS or unicodedata.combining(char) != 0 or "\U0001f3fb" <= char <= "\U0001f3ff"
