"""Channels that do the wrong thing about a message that does not go through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx

from hosting import Destination, HostedRunResult, PushContext, PushReceipt, PushRetryable

from ..reference import BotChannel, EditBotChannel
from ..reference.bot_api import BotApi, Refused
from ..reference.bot_message import place_of
from ..reference.draft import Draft
from .model import mutant


class Sending(BotChannel):
    """What comes of a send is looked at once more."""

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        try:
            return self.sent(await super().push(destination, payload, context=context))
        except PushRetryable as retryable:
            return self.postponed(retryable)
        except httpx.HTTPError as error:
            return self.unsure(error)

    def sent(self, receipt: PushReceipt) -> PushReceipt:
        return receipt

    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        raise retryable

    def unsure(self, error: httpx.HTTPError) -> PushReceipt:
        raise error


@mutant(
    "ignores-retry-after",
    kills={"HC-ERR-010": "waits that were shorter than the platform asked for: FAILED"},
)
class IgnoresRetryAfter(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        raise PushRetryable from retryable


@mutant("drops-on-429", kills={"HC-ERR-010": "what is on record of a reply that was never sent: FAILED"})
class DropsOn429(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if retryable.retry_after is None:
            raise retryable
        return PushReceipt(status="sent")


@mutant(
    "half-a-minute-at-most",
    defect="waits half a minute at most, whatever the platform asks for",
    kills={"HC-ERR-010": "waits that were shorter than 100 s, as the platform asked for: FAILED"},
)
class HalfAMinuteAtMost(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if retryable.retry_after is None:
            raise retryable
        raise PushRetryable(retry_after=min(retryable.retry_after, 30.0)) from retryable


@mutant(
    "takes-dates-for-local",
    defect="takes the date in Retry-After for one of its own clock",
    kills={
        "HC-ERR-010": "the wait after a Retry-After that is a date, on a machine that is far from UTC: FAILED"
    },
)
class TakesDatesForLocal(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _LocalDates(self.client, self.token, self.context.time_source.now)


class _LocalDates(BotApi):
    def refusal(self, answer: httpx.Response) -> Refused:
        refused = super().refusal(answer)
        if refused.retry_after is None or answer.headers["retry-after"].isdigit():
            return refused
        return Refused(refused.status, refused.code, max(0.0, refused.retry_after + time.timezone))


@mutant(
    "leaves-a-hole",
    defect="leaves out a part that the platform does not take, and goes on with the next",
    kills={"HC-ERR-013": "what is on record when one is refused for good, "},
)
class LeavesAHole(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        try:
            return await super().deliver(destination, method, params, begun=begun)
        except Refused as refused:
            if not begun or refused.status not in (400, 404):
                raise
            return ""


@mutant(
    "repeats-a-part-at-502",
    defect="sends a later part again when the platform seems to have failed",
    kills={"HC-ERR-013": "parts when one is sent and answered with 502: FAILED"},
)
class RepeatsAPartAt502(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        try:
            return await super().deliver(destination, method, params, begun=begun)
        except Refused as refused:
            if not begun or refused.status != 502:
                raise
            return await super().deliver(destination, method, params, begun=begun)


@mutant(
    "gives-up-on-429",
    defect="takes a platform that is busy for one that refuses for good",
    kills={"HC-ERR-010": "messages that show the reply after three refusals: FAILED"},
)
class GivesUpOn429(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if retryable.retry_after is None:
            raise retryable
        return PushReceipt(status="dead", detail="too many requests")


@mutant(
    "retries-in-retries",
    defect="waits and tries again by itself within each of the host's tries",
    kills={"HC-ERR-010": "tries in all: FAILED"},
)
class RetriesInRetries(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        return await super().deliver(destination, method, params, begun=True)


@mutant(
    "unsure-without-a-connection",
    defect="takes a message for one that may have arrived that found no connection in time",
    kills={"HC-ERR-011": "messages that show the reply once a connection comes about in time: FAILED"},
)
class UnsureWithoutAConnection(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if isinstance(retryable.__cause__, httpx.ConnectTimeout):
            return PushReceipt(status="unknown")
        raise retryable


@mutant(
    "gives-up-when-away",
    defect="takes a platform that cannot be reached for one that refuses for good",
    kills={"HC-ERR-011": "messages that show the reply once the platform is back: FAILED"},
)
class GivesUpWhenAway(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        if retryable.retry_after is not None:
            raise retryable
        return PushReceipt(status="dead", detail="cannot be reached")


@mutant("infinite-retry", kills={"HC-ERR-011": "tries while it is away: FAILED"})
class InfiniteRetry(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        while True:
            try:
                return await super().send(destination, method, params)
            except PushRetryable:
                await asyncio.sleep(5.0)


@mutant(
    "no-backoff",
    defect="has a platform that cannot be reached tried again at once",
    kills={"HC-ERR-011": "waits while it is away: FAILED"},
)
class NoBackoff(Sending):
    def postponed(self, retryable: PushRetryable) -> PushReceipt:
        raise PushRetryable(retry_after=retryable.retry_after or 1.0) from retryable


@mutant("retry-nonidempotent", kills={"HC-ERR-011": "messages that show the reply after a timeout: FAILED"})
class RetryNonidempotent(Sending):
    def unsure(self, error: httpx.HTTPError) -> PushReceipt:
        raise PushRetryable from error


class _SentAgain(Draft):
    @property
    def lost(self) -> bool:
        return False

    @lost.setter
    def lost(self, lost: bool) -> None:
        return


@mutant(
    "draft-sent-again",
    defect="begins its message anew when the answer to the beginning was lost",
    kills={"HC-ERR-011": "messages that show the reply after a reset: FAILED"},
)
class DraftSentAgain(EditBotChannel):
    def new_draft(self, place: Destination) -> Draft:
        return _SentAgain(self.api, place_of(place), self.context.time_source, self.context.mark_seen)


@mutant("unknown-as-sent", kills={"HC-ERR-011": "what is on record after a timeout: FAILED"})
class UnknownAsSent(Sending):
    def unsure(self, error: httpx.HTTPError) -> PushReceipt:
        return PushReceipt(status="sent")


@mutant(
    "failure-as-refusal",
    defect="takes a failure of the platform for its refusal",
    kills={"HC-ERR-011": "what is on record after a status 500: FAILED"},
)
class FailureAsRefusal(Sending):
    def sent(self, receipt: PushReceipt) -> PushReceipt:
        return PushReceipt(status="dead") if receipt.status == "unknown" else receipt


@mutant("retry-permanent", kills={"HC-ERR-012": "tries, blocked: FAILED"})
class RetryPermanent(Sending):
    def sent(self, receipt: PushReceipt) -> PushReceipt:
        if receipt.status == "dead":
            raise PushRetryable
        return receipt


@mutant(
    "refused-as-unknown",
    defect="does not tell a refusal from an answer that it does not understand",
    kills={"HC-ERR-012": "what is on record, blocked: FAILED"},
)
class RefusedAsUnknown(Sending):
    def sent(self, receipt: PushReceipt) -> PushReceipt:
        return PushReceipt(status="unknown") if receipt.status == "dead" else receipt


class _PartByPart(BotChannel):
    """Whatever becomes of a part is said of the whole reply."""

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        for method, params in self.messages(payload):
            await self.deliver(destination, method, params, begun=False)
        return PushReceipt(status="sent")


@mutant("resend-all-parts", kills={"HC-ERR-013": "parts when one is refused for a while: FAILED"})
class ResendAllParts(_PartByPart):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        try:
            return await super().deliver(destination, method, params, begun=begun)
        except Refused as refused:
            if refused.status != 429:
                raise
            raise PushRetryable(retry_after=refused.retry_after) from refused


@mutant(
    "later-part-anew",
    defect="has the whole reply sent again when the platform is out of reach for a later part",
    kills={"HC-ERR-013": "parts when one is out of reach for a moment: FAILED"},
)
class LaterPartAnew(_PartByPart):
    pass


@mutant(
    "anew-when-exhausted",
    defect="has the whole reply sent again once its own tries of a later part are used up",
    kills={"HC-ERR-013": "parts when one is refused every time: FAILED"},
)
class AnewWhenExhausted(BotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        receipt = await super().push(destination, payload, context=context)
        if receipt.status == "dead" and receipt.native_ids and receipt.detail == "too_many_requests":
            raise PushRetryable
        return receipt


@mutant(
    "hasty-part",
    defect="tries a later part again after a second, whatever the platform asks for",
    kills={
        "HC-ERR-013": "waits that were shorter than the platform asked for, when one is refused for a while"
    },
)
class HastyPart(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        for _ in range(3 if begun else 0):
            try:
                return await self.send(destination, method, params)
            except Refused as refused:
                if refused.retry_after is None:
                    raise
                await asyncio.sleep(1.0)
        return await super().deliver(destination, method, params, begun=begun)


@mutant(
    "hides-lost-part",
    defect="passes over a part that is refused, and says that all was sent",
    kills={"HC-ERR-013": "what is on record when one is refused for good, blocked: FAILED"},
)
class HidesLostPart(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        try:
            return await super().deliver(destination, method, params, begun=begun)
        except Refused:
            if not begun:
                raise
            return ""


@mutant(
    "impatient-part",
    defect="sends a later part again when its answer takes too long",
    kills={"HC-ERR-013": "parts when one is sent and not answered in time: FAILED"},
)
class ImpatientPart(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        try:
            return await super().deliver(destination, method, params, begun=begun)
        except httpx.TimeoutException:
            if not begun:
                raise
            return await super().deliver(destination, method, params, begun=begun)
