"""Channels that stand other channels' failures badly, or bring failures of their own into the host's stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from weakref import WeakSet

from hosting import ChannelContext, ChannelContribution

from ..reference import BotChannel
from .model import mutant


class _Locking(BotChannel):
    """Takes a lock so that nobody else works for the same bot, and gives it back at a good end only."""

    locked: ClassVar[WeakSet[asyncio.AbstractEventLoop]] = WeakSet()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        if loop in self.locked:
            self.finds_locked()
        self.locked.add(loop)
        await super().start()

    def finds_locked(self) -> None:
        """What it does where somebody else works for its bot."""

    async def stop(self) -> None:
        if self.context.draining.is_set():
            self.locked.discard(asyncio.get_running_loop())
        await super().stop()


@mutant(
    "lock-outlives-a-failed-start",
    defect="keeps its lock when another channel fails to start, and cannot start again",
    kills={"HC-LIFE-002": "the app starts beside others: FAILED"},
)
class LockOutlivesAFailedStart(_Locking):
    def finds_locked(self) -> None:
        raise RuntimeError("somebody else works for this bot")


@mutant(
    "idle-behind-its-own-lock",
    defect="keeps its lock when another channel fails to start, and then leaves all work to who holds it",
    kills={"HC-LIFE-002": "a turn beside others: FAILED"},
)
class IdleBehindItsOwnLock(_Locking):
    idle = False

    def finds_locked(self) -> None:
        self.idle = True

    async def take(self, payload: Mapping[str, Any]) -> None:
        if not self.idle:
            await super().take(payload)


@mutant(
    "awaits-its-cancelled-task",
    defect="awaits the task that it cancels at its stop, whose cancellation ends the stop too",
    kills={"HC-LIFE-002": "shutdown callbacks that raised beside others: FAILED"},
    answers=False,
)
class AwaitsItsCancelledTask(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), on_shutdown=[self.stop, self.stop_worker])

    async def start(self) -> None:
        await super().start()
        self.worker = asyncio.create_task(asyncio.sleep(3600), name="worker")

    async def stop_worker(self) -> None:
        self.worker.cancel()
        await self.worker
