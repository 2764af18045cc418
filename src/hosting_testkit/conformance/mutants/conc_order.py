"""Channels that serve whoever is next, at the expense of whoever was first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import Context
from dataclasses import replace
from typing import Any

from hosting import (
    ChannelRequest,
    Destination,
    HostedRunResult,
    InboundEvent,
    PushContext,
    PushReceipt,
)

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant(
    "bypasses-lane",
    defect="marks each event as one that may overtake the others",
    kills={"HC-CONC-002": "runs, in order: FAILED"},
)
class BypassesLane(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return event if isinstance(event, Ignored) else replace(event, bypass_lane=True)


@mutant(
    "stop-anywhere",
    defect="lets every text go ahead that has /stop in it",
    kills={"HC-CONC-002": "runs, in order: FAILED"},
)
class StopAnywhere(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if isinstance(event, Ignored) or "/stop" not in self.text(payload)[1:]:
            return event
        return replace(event, bypass_lane=True)


@mutant(
    "stop-by-its-beginning",
    defect="lets every text go ahead that begins like /stop",
    kills={"HC-CONC-002": "runs, in order: FAILED"},
)
class StopByItsBeginning(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if isinstance(event, Ignored) or not self.text(payload).startswith("/stop"):
            return event
        return replace(event, bypass_lane=True)


@mutant(
    "private-lanes",
    defect="gives every event the lane of a private chat, also in groups",
    kills={"HC-CONC-002": "runs in a group, in order: FAILED"},
)
class PrivateLanes(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return event if isinstance(event, Ignored) else replace(event, conversation_kind="private")


@mutant(
    "answers-latest-only",
    defect="answers only the person who wrote last",
    kills={"HC-CONC-003": "the slow turn is answered in the end: FAILED"},
)
class AnswersLatestOnly(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        self.latest = event.conversation_id
        return super().request(event)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        if destination.conversation_id != self.latest:
            return PushReceipt(status="sent")
        return await super().push(destination, payload, context=context)


@mutant(
    "one-context",
    defect="runs all its turns in the context of one worker",
    kills={"HC-CONC-005": "the mark of another turn, found in a context variable: FAILED"},
)
class OneContext(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.worker = Context()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        return await asyncio.create_task(super().run(turn, body), context=self.worker)
