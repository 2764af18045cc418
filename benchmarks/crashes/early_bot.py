"""A bot with a defect that a sweep must find: it shows its answer before the commit, by itself."""

from __future__ import annotations

from typing import Any

from hosting import ChannelRequest, Destination, HostedRunResult, InboundEvent, PushContext, PushReceipt
from hosting_testkit.conformance.reference import BotChannel


class EarlyBot(BotChannel):
    """Nothing of it goes through the outbox."""

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        await self.api.send_text({"chat": event.conversation_id}, f"{request.input}: heard early")
        return await super().run(request, event)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        return PushReceipt(status="sent")
