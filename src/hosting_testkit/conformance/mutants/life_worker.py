"""Pollers that give up, or do not wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import NotReady, RequestError
from hosting.state import StateUnavailable

from ..reference import PollingBotChannel
from ..reference.bot_api import BotApi
from .model import mutant


@mutant("poller-dies", kills={"HC-LIFE-007": "an event after an outage is answered: FAILED"})
class PollerDies(PollingBotChannel):
    async def poll_on(self) -> None:
        offset = 0
        while True:
            offset = await self.poll(offset)


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
        self.api = _Impatient(self.client, self.token)


class _Impatient(BotApi):
    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float = 10.0) -> Any:
        return await super().call(method, params, timeout=min(timeout, 10.0))
