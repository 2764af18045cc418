"""Bots that measure wrongly."""

from __future__ import annotations

from collections.abc import Sequence

from ..reference import BotChannel
from ..reference.platform import TEXT_LIMIT
from .model import mutant


@mutant("len-codepoints", kills={"HC-TEXT-001": "emoji, two UTF-16 units each: the parts joined: FAILED"})
class CountsCodePoints(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [text[start : start + TEXT_LIMIT] for start in range(0, len(text), TEXT_LIMIT)]


@mutant("truncates", kills={"HC-TEXT-001": "many words: the parts joined: FAILED"})
class Truncates(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return super().split(text)[:1]
