"""Pollers that think of themselves only."""

from __future__ import annotations

import asyncio

from hosting.messaging import OnePoller

from ..reference import PollingBotChannel
from ..reference.bot_api import Refused
from .model import mutant


@mutant("two-pollers", kills={"HC-LIFE-012": "replicas that fetch before one stops: FAILED"})
class TwoPollers(PollingBotChannel):
    async def may_poll(self) -> bool:
        return True


@mutant("conflict-fatal", kills={"HC-LIFE-012": "an answer after a conflict: FAILED"})
class ConflictFatal(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except Refused as refused:
            if refused.status != 409:
                raise
            self.context.logger.warning("channel %s stops: somebody else polls", self.name)
            await asyncio.Event().wait()
            raise


@mutant(
    "keeps-its-place",
    defect="keeps its place while it drains, so that nobody fetches until it is gone",
    kills={"HC-LIFE-012": "an answer while the one that fetched drains: FAILED"},
)
class KeepsItsPlace(PollingBotChannel):
    async def stop_at_drain(self) -> None:
        await self.context.draining.wait()
        self.polling.cancel()


@mutant(
    "once-a-poller",
    defect="goes on fetching for good once it may, also when it was taken for gone",
    kills={"HC-LIFE-012": "replicas that fetch after one was cut off for a while: FAILED"},
)
class OnceAPoller(PollingBotChannel):
    allowed = False

    async def may_poll(self) -> bool:
        self.allowed = self.allowed or await super().may_poll()
        return self.allowed


@mutant(
    "looks-once",
    defect="asks at its start whether another process polls, and never again",
    kills={"HC-LIFE-012": "an answer after one stops: FAILED"},
)
class LooksOnce(PollingBotChannel):
    allowed: bool | None = None

    async def may_poll(self) -> bool:
        if self.allowed is None:
            self.allowed = await OnePoller(self.context).is_ours()
        return self.allowed


@mutant(
    "hurries-through-conflicts",
    defect="polls again at once when somebody else does",
    kills={"HC-LIFE-012": "waits after a conflict: FAILED"},
)
class HurriesThroughConflicts(PollingBotChannel):
    def pause(self, failures: int) -> float:
        return 0.5


@mutant(
    "warns-each-time",
    defect="writes a warning for each poll that fails",
    kills={"HC-LIFE-012": "warnings of a conflict: FAILED"},
)
class WarnsEachTime(PollingBotChannel):
    async def poll(self, offset: int) -> int:
        try:
            return await super().poll(offset)
        except Refused as refused:
            self.context.logger.warning("channel %s cannot poll: %s", self.name, refused)
            raise
