"""Odd lives: where a channel is, what it has of its own, how long it takes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import httpx

from hosting import ChannelRequest, Destination, HostedRunResult, HostingError, InboundEvent

from ...drivers import IMPOSSIBLE
from ..reference import BotChannel, BotDriver, PollingBotChannel, PollingBotDriver, RpcChannel, RpcDriver
from .model import eccentric


@eccentric("at-root", "lives at the root of the application")
class AtRoot(RpcDriver):
    mount = ""


@eccentric(
    "gateway",
    "has no HTTP route at all: a connection of its own brings its events",
    base=PollingBotDriver,
    profile="gateway-bot",
    capabilities=PollingBotDriver.capabilities.but(polling=IMPOSSIBLE("a gateway pushes")),
)
class Gateway(PollingBotChannel):
    transport = "gateway"


@eccentric(
    "worker-thread", "talks to its platform through a synchronous SDK in a worker thread", base=BotDriver
)
class WorkerThread(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        ready = await asyncio.to_thread(dict, params)
        return await super().send(destination, method, ready)


@eccentric("own-task-group", "keeps a task group and a second HTTP client, and closes both", base=BotDriver)
class OwnTaskGroup(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.ended = asyncio.Event()
        self.second = httpx.AsyncClient(trust_env=False)
        self.group = self.context.spawn(self.keep_group(), name="group")

    async def keep_group(self) -> None:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(self.ended.wait())
            await waiting

    async def stop(self) -> None:
        self.ended.set()
        await asyncio.wait([self.group])
        await self.second.aclose()
        await super().stop()


@eccentric(
    "looks-up-first", "asks its own records for something before each turn begins", base=PollingBotDriver
)
class LooksUpFirst(PollingBotChannel):
    async def process(self, event: InboundEvent, /) -> None:
        await self.context.state("languages").get(event.conversation_id or "")
        await super().process(event)


@eccentric("slow-start", "takes a minute to start", base=BotDriver)
class SlowStart(BotChannel):
    async def start(self) -> None:
        await asyncio.sleep(60)
        await super().start()


@eccentric("own-task", "runs each turn in a task of its own, which ends with the request", base=RpcDriver)
class OwnTask(RpcChannel):
    async def run(self, turn: Any, body: Mapping[str, Any]) -> Any:
        task = self.context.spawn(self.outcome(turn, body), name="own")
        try:
            result, error = await task
        finally:
            task.cancel()
            await asyncio.wait([task])
        if error is not None:
            raise error
        return result

    async def outcome(self, turn: Any, body: Mapping[str, Any]) -> tuple[Any, HostingError | None]:
        try:
            return await super().run(turn, body), None
        except HostingError as error:
            return None, error


@eccentric("remembers-some", "keeps the latest hundred answers for whoever looks at them", base=RpcDriver)
class RemembersSome(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.latest: OrderedDict[str, HostedRunResult[Any]] = OrderedDict()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        self.latest[result.response_id] = result
        while len(self.latest) > 100:
            self.latest.popitem(last=False)
        return result
