"""Channels that are wrong about when, how often and in what order messages go out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from hosting import Destination, HostedRunResult, PushContext, PushReceipt, PushRetryable

from ..reference import BotChannel
from ..reference.bot_api import Refused
from .err_sends import Sending
from .model import mutant


class _Limited(BotChannel):
    """What a platform says that is busy is read in another way."""

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        try:
            return await super().send(destination, method, params)
        except Refused as refused:
            if refused.status == 429:
                refused.retry_after = self.read(refused.retry_after)
            raise

    def read(self, seconds: float | None) -> float | None:
        return seconds


@mutant(
    "waits-ten-seconds",
    defect="waits for ten seconds at most, whatever the platform asks for",
    kills={
        "HC-ERR-013": "waits that were shorter than the platform asked for, when one is refused for a minute"
    },
)
class WaitsTenSeconds(_Limited):
    def read(self, seconds: float | None) -> float | None:
        return seconds and min(seconds, 10.0)


@mutant(
    "sleeps-for-none",
    defect="waits as long as a header says that is not there, and stumbles",
    kills={"HC-ERR-013": "what is on record when one is refused without a word for how long: FAILED"},
)
class SleepsForNone(_Limited):
    def read(self, seconds: float | None) -> float | None:
        if seconds is None:
            raise TypeError("None is no number of seconds")
        return seconds


@mutant(
    "no-word-is-no-wait",
    defect="takes a limit without a time for one that is over, and uses up its tries at once",
    kills={"HC-ERR-010": "waits that are none after a Retry-After that is not there: FAILED"},
)
class NoWordIsNoWait(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if isinstance(retryable.__cause__, Refused):
            raise PushRetryable(retry_after=retryable.retry_after or 0.0) from retryable.__cause__
        raise retryable


@mutant(
    "gives-up-long-limits",
    defect="takes a platform that asks for more than a minute for one that is lost",
    kills={"HC-ERR-010": "messages that show the reply after a limit of 100 s: FAILED"},
)
class GivesUpLongLimits(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if (retryable.retry_after or 0.0) > 60.0:
            return PushReceipt(status="dead", detail="too long")
        raise retryable


@mutant(
    "parts-at-once",
    defect="sends the later messages of an answer at once, in whatever order they get through",
    kills={"HC-ERR-013": "the order of the parts when one is refused for a while: FAILED"},
)
class PartsAtOnce(BotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        first, *later = self.messages(payload)
        ids = [await self.deliver(destination, *first, begun=False)]
        sends = [self.deliver(destination, *message, begun=True) for message in later]
        ids += await asyncio.gather(*sends)
        return PushReceipt(status="sent", native_ids=ids)


@mutant(
    "closed-is-unreachable",
    defect="takes a connection that was closed before the answer for one that did not come about",
    kills={
        "HC-ERR-011": "messages that show the reply after a connection that is closed without an answer: FAILED"
    },
)
class ClosedIsUnreachable(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        try:
            return await super().send(destination, method, params)
        except httpx.RemoteProtocolError as closed:
            raise PushRetryable from closed
