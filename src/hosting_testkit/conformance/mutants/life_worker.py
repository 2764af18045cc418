"""Pollers that give up, or do not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from hosting import NotReady, PushRetryable, RequestError
from hosting.state import StateUnavailable

from ..reference import PollingBotChannel
from ..reference.bot_api import BotApi, Refused
from ..reference.bot_update import Ignored
from .model import mutant


@mutant("poller-dies", kills={"HC-LIFE-007": "an event after an outage is answered: FAILED"})
class PollerDies(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except PushRetryable as error:
            raise asyncio.CancelledError from error


@mutant(
    "never-forgives",
    defect="counts the polls that failed and never begins anew, so that each makes the next pause longer",
    kills={"HC-LIFE-007": "an event after a hiccup, the 10th of a long day, is answered: FAILED"},
)
class NeverForgives(PollingBotChannel):
    failed = 0

    def pause(self, failures: int) -> float:
        self.failed += 1
        return super().pause(self.failed)


@mutant(
    "quiet-about-outages",
    defect="tells of polls that fail to those only who debug",
    kills={"HC-LIFE-007": "the log warns of an outage of 120 s: FAILED"},
)
class QuietAboutOutages(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except PushRetryable as error:
            self.context.logger.debug("channel %s cannot poll: %s", self.name, error)
            await asyncio.sleep(self.pause(7))
            return offset


@mutant(
    "no-answer-is-no-news",
    defect="takes a poll that is never answered for one that has nothing to tell",
    kills={"HC-LIFE-007": "the log warns of 1800 s in which no poll is answered: FAILED"},
)
class NoAnswerIsNoNews(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except httpx.TimeoutException:
            return offset


@mutant(
    "gives-up-when-refused",
    defect="ends its worker when the platform refuses a poll for want of rights",
    kills={"HC-LIFE-007": "an event after a poll that is refused with 401 is answered: FAILED"},
)
class GivesUpWhenRefused(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except Refused as refused:
            if refused.status not in (401, 403):
                raise
            self.context.logger.warning("channel %s stops: the token is no longer good", self.name)
            raise asyncio.CancelledError from refused


@mutant(
    "trusts-other-json",
    defect="looks for its updates in an answer of another shape",
    kills={"HC-LIFE-007": "an event after a poll that is answered with other JSON is answered: FAILED"},
)
class TrustsOtherJson(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except httpx.DecodingError as error:
            if "result" in str(error.__context__):
                raise asyncio.CancelledError from error
            raise


@mutant(
    "counts-to-infinity",
    defect="reckons with a number that grows with each failure until it is none any more",
    kills={"HC-LIFE-007": "runs of an event after an outage of 86400 s, before long: FAILED"},
)
class CountsToInfinity(PollingBotChannel):
    def pause(self, failures: int) -> float:
        return min(2.0 ** (failures - 1), 60.0)


@mutant(
    "polls-through-limits",
    defect="polls again when it likes, whatever the platform asks for",
    kills={"HC-LIFE-007": "seconds between a poll that is refused for 300 s and the next: FAILED"},
)
class PollsThroughLimits(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except Refused as refused:
            raise Refused(refused.status, refused.code, None) from refused


@mutant("hot-loop", kills={"HC-LIFE-007": "tries in an outage of 120 s: FAILED"})
class HotLoop(PollingBotChannel):
    def pause(self, failures: int) -> float:
        return 0.0


@mutant(
    "polls-while-draining",
    defect="goes on fetching while the host drains",
    kills={"HC-LIFE-007": "runs of an event of the drain, after a restart: FAILED"},
)
class PollsWhileDraining(PollingBotChannel):
    async def stop_at_drain(self) -> None:
        return

    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except NotReady:  # the host took nothing, and the update is confirmed all the same
            return offset + 1


@mutant(
    "skips-the-backlog",
    defect="passes over what waited while it was away",
    kills={
        "HC-LIFE-001": "the first turn is answered: FAILED",
        "HC-LIFE-007": "runs of an event of the drain, after a restart: FAILED",
    },
)
class SkipsTheBacklog(PollingBotChannel):
    skipped = False

    async def poll(self, offset: int) -> int:
        if not self.skipped:
            waiting = await self.api.call("getUpdates", {"offset": offset, "timeout": 0})
            self.skipped, offset = True, max([offset, *(entry["offset"] + 1 for entry in waiting)])
        return await super().poll(offset)


class _Sorted(BotApi):
    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float | None = 10.0) -> Any:
        result = await super().call(method, params, timeout=timeout)
        if method != "getUpdates":
            return result
        in_order = sorted((entry["update"] for entry in result), key=lambda update: str(update.get("id")))
        return [{**entry, "update": update} for entry, update in zip(result, in_order, strict=True)]


@mutant(
    "sorts-ids-as-text",
    defect="takes what came in one answer in the order of its ids as text",
    kills={"HC-LIFE-007": "runs of events that waited together, in order: FAILED"},
)
class SortsIdsAsText(PollingBotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _Sorted(self.client, self.token, self.context.time_source.now)


@mutant(
    "ever-slower",
    defect="doubles its pauses without end",
    kills={"HC-LIFE-007": "runs of an event after an outage of 86400 s, before long: FAILED"},
)
class EverSlower(PollingBotChannel):
    def pause(self, failures: int) -> float:
        return 2.0 ** min(failures - 1, 1000)


@mutant(
    "stops-at-no-turn",
    defect="looks no further than an event that it ignores, and confirms all that came with it",
    kills={"HC-LIFE-007": "runs of turns that waited among other events, in order: FAILED"},
)
class StopsAtNoTurn(PollingBotChannel):
    ignored = False

    async def take(self, payload: Mapping[str, Any]) -> None:
        if not self.ignored:
            await super().take(payload)
            self.ignored = isinstance(self.parse(payload), Ignored)

    async def poll(self, offset: int) -> int:
        self.ignored = False
        return await super().poll(offset)


@mutant(
    "poison-pill",
    defect="asks again and again for an update that it cannot read, and never for the next",
    kills={"HC-LIFE-007": "an event after one with a wrong id is answered: FAILED"},
)
class PoisonPill(PollingBotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        try:
            await super().take(payload)
        except RequestError as error:
            raise NotReady("The update cannot be read.") from error


@mutant(
    "swallowed-claim",
    defect="confirms an update that could not be kept",
    kills={"HC-LIFE-007": "runs of an event that came while the store was away: FAILED"},
)
class SwallowedClaim(PollingBotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        try:
            await super().take(payload)
        except StateUnavailable:
            self.context.logger.warning("channel %s could not take an update", self.name)


@mutant(
    "impatient-poll",
    defect="waits less long than the platform holds a poll open, and takes each quiet poll for a failure",
    kills={"HC-LIFE-007": "an event after a quiet time is answered: FAILED"},
)
class ImpatientPoll(PollingBotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _Impatient(self.client, self.token, self.context.time_source.now)


@mutant(
    "patient-for-ever",
    defect="polls without a read timeout, and waits for ever on a connection that has died",
    kills={"HC-LIFE-007": "an event after a poll that is never answered is answered: FAILED"},
)
class PatientForEver(PollingBotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _PatientForEver(self.client, self.token, self.context.time_source.now)


class _PatientForEver(BotApi):
    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float | None = 10.0) -> Any:
        return await super().call(method, params, timeout=None if method == "getUpdates" else timeout)


@mutant(
    "ends-at-a-strange-answer",
    defect="stops polling for good at an answer with status 200 that is no JSON",
    kills={
        "HC-LIFE-007": "an event after a poll that something in between answers with a page is answered: FAILED"
    },
)
class EndsAtAStrangeAnswer(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except httpx.DecodingError as error:
            raise asyncio.CancelledError from error


@mutant(
    "foresees-all",
    defect="stops polling for good at a fault that nobody has foreseen",
    kills={
        "HC-LIFE-007": "an event after a poll that is answered with a result that is null is answered: FAILED"
    },
)
class ForeseesAll(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except TypeError as error:
            raise asyncio.CancelledError from error


@mutant(
    "ends-when-forbidden",
    defect="stops polling for good when something in between forbids a poll",
    kills={"HC-LIFE-007": "an event after a poll that is refused with 403 is answered: FAILED"},
)
class EndsWhenForbidden(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except Refused as refused:
            if refused.status == 403:
                raise asyncio.CancelledError from refused
            raise


@mutant(
    "stays-at-half-an-emoji",
    defect="asks for ever for an update that the host refuses",
    kills={"HC-LIFE-007": "an event after one whose text is no text is answered: FAILED"},
)
class StaysAtHalfAnEmoji(PollingBotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored):
            return
        try:
            await self.context.accept(event)
        except RequestError as error:
            raise RuntimeError("not accepted") from error


class _Impatient(BotApi):
    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float | None = 10.0) -> Any:
        return await super().call(method, params, timeout=min(timeout or 10.0, 10.0))
