"""Channels that call the run hook at the wrong time, or keep from it what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, ChannelSession, HostedRunResult, HostedStreamResult

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "hook-too-late",
    defect="hides the run hook from the host and calls it when the run is over",
    kills={"HC-RUNHOOK-001": "calls of the hook behind the run of a turn: FAILED"},
)
class HookTooLate(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook, self.run_hook = self.run_hook, None

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        if self.app_hook is not None:
            self.app_hook(turn)
        return result


@mutant(
    "forgets-before-hook",
    defect="deletes the session of the last turn as soon as somebody asks for the next one",
    kills={"HC-RUNHOOK-001": "no session is stored before a streamed turn runs: FAILED"},
)
class ForgetsBeforeHook(RpcChannel):
    last: ChannelSession | None = None

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        self.last = result.session
        return result

    async def open(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedStreamResult:
        if self.last and self.last.isolation_key and self.last.key:
            await self.context.forget_session(self.last.isolation_key, self.last.key)
        return await super().open(turn, body)


@mutant(
    "hook-without-payload",
    defect="does not hand the protocol's request to the host",
    kills={"HC-RUNHOOK-002": "keywords without a value, with_payload: FAILED"},
)
class HookWithoutPayload(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        return await self.context.run(turn, on_commit=self.answers.begin(turn))
