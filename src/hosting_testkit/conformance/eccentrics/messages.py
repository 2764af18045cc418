"""Odd ways to cut an answer into messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...drivers.capabilities import SUPPORTED
from ..reference import BotChannel, BotDriver
from ..reference.bot_replies import TEXT_LIMIT
from .model import eccentric

_TRIMMED = SUPPORTED(limit=TEXT_LIMIT, unit="utf16", trims=True)


@eccentric("cuts-at-lines", "leaves out the line end at which it cuts", base=BotDriver)
class CutsAtLines(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [part.removesuffix("\n") for part in super().split(text)]


@eccentric(
    "trimmed",
    "sends texts as its platform shows them, without white space around them",
    base=BotDriver,
    capabilities=replace(BotDriver.capabilities, text_limit=_TRIMMED),
)
class Trimmed(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [part.strip() for part in super().split(text)]
