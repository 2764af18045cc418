"""Channels that ask the host for more than the one turn, or say something where there is no turn."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, HostedRunResult

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant(
    "tries-the-hook-out",
    defect="asks the app's run hook whether it would refuse, before it hands the request to the host",
    kills={"HC-REQ-001": "requests of a turn: FAILED"},
)
class TriesTheHookOut(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        if self.run_hook is not None:
            outcome = self.run_hook(turn)
            _ = await outcome if inspect.isawaitable(outcome) else outcome
        return await super().run(turn, body)


@mutant(
    "explains-itself-to-itself",
    defect="answers its own message with a word about it",
    kills={"HC-REQ-009": "answers to the bot's own message: FAILED"},
)
class ExplainsItselfToItself(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        message = payload.get("message", {})
        if message.get("from", {}).get("id") == self.account.id:
            await self.api.send_text({"chat": message["chat"]["id"]}, "That was me.")
        await super().take(payload)
