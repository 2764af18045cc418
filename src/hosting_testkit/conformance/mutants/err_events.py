"""Webhooks that ask for the wrong events again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from hosting import HostedRunResult, InboundEvent
from hosting.state import StateUnavailable
from hosting.web import JsonAnswer

from ..reference import BotChannel
from .model import mutant


@mutant("always-500", kills={"HC-ERR-009": "an event whose run fails: it is acknowledged: FAILED"})
class Always500(BotChannel):
    """Waits for the end of the turn, and answers with it."""

    async def take(self, payload: Mapping[str, Any]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await super().take(payload)
        await asyncio.wait_for(self.ended, timeout=60)

    async def run(self, request: Any, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            result = await super().run(request, event)
        except Exception as error:
            self.ended.set_exception(error)
            raise
        self.ended.set_result(None)
        return result


@mutant("always-200", kills={"HC-ERR-009": "status while the store cannot be reached: FAILED"})
class Always200(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        try:
            return await super().receive(request)
        except StateUnavailable:
            return JsonAnswer(b'{"ok":true}')
