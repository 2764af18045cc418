"""Channels whose contribution is wrong, or that go behind the host's back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from secrets import token_hex
from typing import Any

from agent_framework import AgentResponse
from starlette.routing import BaseRoute

from hosting import (
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelRunHook,
    HostedRunResult,
)

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant(
    "sync-lifecycle", kills={"HC-CONTRIB-002": "the startup callbacks can be awaited: FAILED"}, answers=False
)
class SyncLifecycle(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        startup: Any = [self.begin]
        return replace(super().contribute(context), on_startup=startup)

    def begin(self) -> None:
        self.client = self.given  # pyright: ignore[reportAttributeAccessIssue] - a sloppy author's


@mutant(
    "shared-default-list",
    kills={"HC-CONTRIB-002": "number of routes of a first and of a second channel: FAILED"},
)
class SharedDefaultList(RpcChannel):
    all_routes: list[BaseRoute] = []  # noqa: RUF012 - this is the defect

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        self.all_routes.extend(inside.routes)
        return replace(inside, routes=list(reversed(self.all_routes)))


@mutant(
    "drifting-name",
    kills={"HC-CONTRIB-003": "names that the channel gives when asked five times: FAILED"},
    answers=False,
)
class DriftingName(RpcChannel):
    @property
    def name(self) -> str:
        return f"rpc-{token_hex(4)}"

    @name.setter
    def name(self, value: str) -> None:
        return


@mutant(
    "wrong-channel-field",
    kills={"HC-CONTRIB-003": "the channel of the turn, as the target is told"},
    answers=False,
)
class WrongChannelField(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Any) -> HostedRunResult[Any]:
        return await super().run(turn.replace(channel=type(self).__name__), body)


@mutant("calls-target", kills={"HC-CONTRIB-007": "runs of the target that no turn of the host made: FAILED"})
class CallsTarget(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Any) -> HostedRunResult[Any]:
        context: Any = self.context
        response: AgentResponse[Any] = await context._services.target._agent.run(turn.input)
        return HostedRunResult(result=response)


@mutant("own-task", kills={"HC-CONTRIB-007": "tasks that were not made with spawn: FAILED"})
class OwnTask(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.worker = asyncio.create_task(self.work(), name="worker")

    async def stop(self) -> None:
        self.worker.cancel()
        await super().stop()

    async def work(self) -> None:
        await asyncio.sleep(3600)


@mutant(
    "own-task",
    defect="leaves a task of its own behind each request",
    kills={"HC-CONTRIB-007": "tasks that were not made with spawn: FAILED"},
)
class TaskPerRequest(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Any) -> HostedRunResult[Any]:
        self.audit = asyncio.create_task(asyncio.sleep(3600), name="audit")
        return await super().run(turn, body)


@mutant("option-not-exposed", kills={"HC-CONTRIB-008": "run_hook on the channel: FAILED"})
class OptionNotExposed(RpcChannel):
    def __init__(self, *, run_hook: ChannelRunHook | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.hook = run_hook
