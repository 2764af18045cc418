"""Channels that lose or repeat turns when several things go wrong at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.requests import Request

from hosting import Caller, ChannelRequest, Destination, HostedRunResult, PushContext, PushReceipt
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("loses-under-fault", kills={"HC-CONC-008": "turns that nobody can account for: FAILED"})
class LosesUnderFault(BotChannel):
    """Takes a connection that broke for the end of the matter."""

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        try:
            return await super().push(destination, payload, context=context)
        except httpx.ReadError:
            return PushReceipt(status="sent")


@mutant("no-dedupe", kills={"HC-CONC-008": "turns answered more than once: FAILED"})
class NoDedupeUnderFault(BotChannel):
    def delivery_id(self, event_id: str) -> str:
        return self.context.id_source.new("evt")


@mutant(
    "keys-for-one-connection",
    defect="knows a request with a key by the connection that it came on, too",
    kills={"HC-CONC-008": "requests with a key that ran more than once: FAILED"},
)
class KeysForOneConnection(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        connection = self.context.id_source.new("conn")
        return turn.replace(delivery_id=turn.delivery_id and f"{turn.delivery_id} {connection}")


@mutant(
    "empty-when-repeated",
    defect="answers a key that it has seen before with an empty answer",
    kills={"HC-CONC-008": "requests that nobody can account for: FAILED"},
)
class EmptyWhenRepeated(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        key = request.headers.get("idempotency-key")
        if key in self.seen:
            return JsonAnswer(b'{"id": "", "status": "completed", "items": [""]}')
        self.seen |= {key} if key else set()
        return await super().handle(request)
