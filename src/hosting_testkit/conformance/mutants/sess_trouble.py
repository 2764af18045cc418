"""Channels that do something about a turn that went wrong, where the host has done it already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, ChannelSession, HostedRunResult

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "fresh-after-trouble",
    defect="begins a conversation anew when a turn of it has failed or was cancelled",
    kills={
        "HC-SESS-008": "the turn after the failed one: FAILED",
        "HC-SESS-009": "the turn after the cancelled one: FAILED",
    },
)
class FreshAfterTrouble(RpcChannel):
    last: ChannelSession | None = None
    spoiled = False

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        if self.spoiled and self.last and self.last.isolation_key and self.last.key:
            await self.context.forget_session(self.last.isolation_key, self.last.key)
        self.spoiled = True
        result = await super().run(turn, body)
        self.spoiled, self.last = False, result.session
        return result


@mutant(
    "tries-again-later",
    defect="asks once more, behind the next answer, what went wrong before",
    kills={
        "HC-SESS-008": "what the session holds: FAILED",
        "HC-SESS-009": "what the session holds: FAILED",
    },
)
class TriesAgainLater(RpcChannel):
    unanswered: Any = None

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        before, self.unanswered = self.unanswered, turn.input
        result = await super().run(turn, body)
        self.unanswered = None
        if before is not None:
            again = turn.replace(input=f"Again: {before}", response_id=None, delivery_id=None)
            await self.context.run(again, protocol_request=body)
        return result
