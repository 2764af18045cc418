"""Channels that keep on the class what belongs to the instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from hosting import ChannelContext, ChannelContribution, ChannelRequest, HostedRunResult

from ..reference import BotChannel, RpcChannel
from ..reference.bot_api import BotApi
from .model import mutant


@mutant(
    "class-level-client",
    defect="sends through the client of whichever instance started first",
    kills={"HC-CAP-005": "the second channel's answer: FAILED"},
)
class ClassLevelClient(BotChannel):
    clients: ClassVar[list[BotApi]] = []

    async def start(self) -> None:
        await super().start()
        self.clients.append(self.api)
        self.api = self.clients[0]

    async def stop(self) -> None:
        self.clients.clear()
        await super().stop()


@mutant(
    "class-level-memory",
    defect="keeps what was said in a list of the class, to remind people of it",
    kills={"HC-CAP-005": "the other's words: FAILED"},
)
class ClassLevelMemory(RpcChannel):
    said: ClassVar[list[str]] = []

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), on_shutdown=[self.forget])

    async def forget(self) -> None:
        self.said.clear()

    def input(self, body: Mapping[str, Any]) -> str:
        self.said.append(super().input(body))
        return self.said[-1]

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return [*super().items(result), *(f"You said: {text}" for text in self.said[:-1])]


@mutant(
    "class-level-handlers",
    defect="adds its handler to a list of the class, so that every instance takes every turn",
    kills={"HC-CAP-005": "runs of the first channel: FAILED"},
)
class ClassLevelHandlers(RpcChannel):
    instances: ClassVar[list[RpcChannel]] = []

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), on_startup=[self.join], on_shutdown=[self.forget])

    async def join(self) -> None:
        self.instances.append(self)

    async def forget(self) -> None:
        self.instances.clear()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        for other in self.instances:
            if other is not self:
                await other.context.run(turn)
        return await super().run(turn, body)
