"""Bots that measure wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hosting import Destination

from ...simulators import BotLimits, BotPlatform
from ...transports.asgi import ASGIApp
from ..reference import BotChannel, BotDriver
from ..reference.bot_api import Refused
from ..reference.bot_replies import TEXT_LIMIT
from .model import mutant


@mutant("len-codepoints", kills={"HC-TEXT-001": "emoji, two UTF-16 units each: the parts joined: FAILED"})
class CountsCodePoints(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [text[start : start + TEXT_LIMIT] for start in range(0, len(text), TEXT_LIMIT)]


@mutant("truncates", kills={"HC-TEXT-001": "many words: the parts joined: FAILED"})
class Truncates(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return super().split(text)[:1]


@mutant(
    "ten-messages-are-enough",
    defect="sends ten messages of an answer and takes that for the answer",
    kills={"HC-TEXT-001": "words for 30 messages: the parts joined: FAILED"},
)
class TenAreEnough(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return super().split(text)[:10]


@mutant(
    "strips-parts",
    defect="strips each message of an answer, and so moves the line that it begins with",
    kills={"HC-TEXT-001": "indented lines: indented lines that begin elsewhere: FAILED"},
)
class StripsParts(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [part.strip() for part in super().split(text)]


class _Whole(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [text]


@mutant(
    "counts-on-grace",
    defect="sends more than the platform's limit, as the platform happens to take it today",
    kills={"HC-TEXT-001": "many words: parts over the limit: FAILED"},
)
class CountsOnGrace(BotDriver):
    channel_class = _Whole

    def platform(self) -> ASGIApp:
        super().platform()
        generous = BotLimits(text=100 * TEXT_LIMIT, per_chat=None, per_group=None, overall=None)
        self.sim = BotPlatform(token=self.sim.token, limits=generous)
        return self.sim.app


@mutant(
    "splits-when-refused",
    defect="sends a long text whole, and in parts once the platform has refused it",
    kills={"HC-TEXT-001": "many words: messages that the platform refused: FAILED"},
)
class SplitsWhenRefused(_Whole):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        send = super().send
        try:
            return await send(destination, method, params)
        except Refused as refused:
            if refused.status == 429:
                raise
        parts = BotChannel.split(self, params["text"])
        return ",".join([await send(destination, method, {**params, "text": part}) for part in parts])
