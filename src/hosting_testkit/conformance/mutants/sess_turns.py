"""Channels that spoil a session when a turn goes wrong, or when turns come at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, HostedRunResult, InboundEvent

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant("ignores-session-mode", kills={"HC-SESS-006": "sessions under 'disabled': FAILED"})
class IgnoresSessionMode(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.run_hook
        if self.app_hook is not None:
            self.run_hook = self.kept

    def kept(self, request: ChannelRequest) -> ChannelRequest:
        hooked: ChannelRequest = self.app_hook(request)
        return hooked.replace(session=request.session, session_mode=request.session_mode)


@mutant("half-turn", kills={"HC-SESS-008": "what that turn was told"})
class HalfTurn(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.unanswered = ""

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        said = f"{self.unanswered}{turn.input}"
        self.unanswered = f"{turn.input} "
        result = await super().run(turn.replace(input=said), body)
        self.unanswered = ""
        return result


@mutant("stuck-lock", kills={"HC-SESS-009": "did not end"})
class StuckLock(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lane = asyncio.Lock()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        await self.lane.acquire()
        result = await super().run(turn, body)
        self.lane.release()
        return result


@mutant("lost-update", kills={"HC-SESS-010": "runs, in the order in which they were asked for"})
class LostUpdate(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.newest: dict[str | None, str] = {}

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if not isinstance(event, Ignored):
            self.newest[event.conversation_id] = event.delivery_id
        return event

    async def process(self, event: InboundEvent, /) -> None:
        if self.newest.get(event.conversation_id, event.delivery_id) == event.delivery_id:
            await super().process(event)
