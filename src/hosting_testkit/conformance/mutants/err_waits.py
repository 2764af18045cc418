"""Channels whose sends wait for ever, or do not understand how long to wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from ..reference import BotChannel
from ..reference.bot_api import BotApi, Refused
from .model import mutant


@mutant(
    "sends-for-ever",
    defect="sends without a read timeout, and waits for ever on a connection that has died",
    kills={"HC-ERR-011": "what is on record after a timeout: FAILED"},
)
class SendsForEver(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _ForEver(self.client, self.token, self.context.time_source.now)


class _ForEver(BotApi):
    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float | None = 10.0) -> Any:
        return await super().call(method, params, timeout=None)


@mutant(
    "reads-seconds-alone",
    defect="stumbles over a `Retry-After` that is no number, and never sends the reply",
    kills={"HC-ERR-010": "messages that show the reply after a Retry-After that is a date: FAILED"},
)
class ReadsSecondsAlone(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _SecondsAlone(self.client, self.token, self.context.time_source.now)


class _SecondsAlone(BotApi):
    def refusal(self, answer: httpx.Response) -> Refused:
        refused = super().refusal(answer)
        refused.retry_after = float(answer.headers.get("retry-after", "0"))
        return refused
