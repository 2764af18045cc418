"""Channels that do not expect to be cancelled."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import httpx

from hosting import ChannelRequest, HostedRunResult, HostingError, InboundEvent

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("swallow-cancel", kills={"HC-CANCEL-005": "did not end as cancelled: FAILED"})
class SwallowCancel(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except HostingError:
            raise
        except BaseException:
            return HostedRunResult(None)


@mutant("stuck-lock", kills={"HC-CANCEL-005": "after which the next turn is not answered: FAILED"})
class StuckLock(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        lane = self.lanes[turn.session.key or "" if turn.session else ""]
        await lane.acquire()
        try:
            result = await super().run(turn, body)
        except HostingError:
            lane.release()
            raise
        lane.release()
        return result


async def _forever() -> None:
    await asyncio.Event().wait()


@mutant("leak-on-cancel", kills={"HC-CANCEL-005": "turn: points after which a task is left: FAILED"})
class LeakOnCancel(BotChannel):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        typing = asyncio.create_task(_forever(), name="typing")
        await asyncio.sleep(0)  # the platform is told
        try:
            return await super().run(request, event)
        finally:
            typing.cancel()


@mutant("cleanup-not-shielded", kills={"HC-CANCEL-006": "turn: points after which a task is left: FAILED"})
class CleanupNotShielded(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        typing = asyncio.create_task(_forever(), name="typing")
        try:
            return await super().run(turn, body)
        finally:
            await asyncio.sleep(0)  # the client is told
            typing.cancel()


@mutant(
    "client-per-turn",
    defect="opens a client for each turn and closes it only if the turn ends well",
    kills={"HC-CANCEL-005": "turn: left after all of them: FAILED"},
)
class ClientPerTurn(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.opened: list[httpx.AsyncClient] = []

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        client = httpx.AsyncClient()
        self.opened.append(client)
        result = await super().run(turn, body)
        await client.aclose()
        return result
