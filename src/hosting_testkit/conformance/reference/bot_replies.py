"""How the reference bots send: the half of a channel that the host's outbox calls (contract 10.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hosting import Destination, HostedRunResult, PushContext, PushReceipt, PushRetryable, as_response
from hosting.messaging import OutboundFile, shown_items, split_utf16

from .bot_api import BotApi, Refused
from .bot_message import file_params, place_of, question

TEXT_LIMIT = 160
"""Most UTF-16 units of one message; a real bot would have the platform's own limit."""

_PATIENCE = 3  # tries of a later part of a reply whose first parts were sent


class BotReplies:
    """Sends results over `api`, which the channel sets when it starts."""

    api: BotApi

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        """Sends a result to where the conversation is; of one that has begun nothing is sent again (contract 4.7)."""
        ids: list[str] = []
        try:
            for method, params in self.messages(payload):
                ids.append(await self.deliver(destination, method, params, begun=bool(ids)))
        except Refused as refused:
            if refused.status == 429 and not ids:
                raise PushRetryable(retry_after=refused.retry_after) from refused
            lost = refused.status >= 500
            return PushReceipt(status="unknown" if lost else "dead", native_ids=ids, detail=refused.code)
        except PushRetryable as away:
            if not ids:
                raise
            return PushReceipt(status="dead", native_ids=ids, detail=str(away))
        return PushReceipt(status="sent", native_ids=ids)

    def messages(self, payload: HostedRunResult[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The calls that show a result: its texts but blank ones, its files, and what it asks."""
        for item in self.items(payload):
            if isinstance(item, OutboundFile):
                yield "sendFile", file_params(item)
            else:
                yield from (("sendMessage", {"text": part}) for part in self.split(item) if part.strip())
        for request in payload.requests:
            text, buttons = question(request)
            yield "sendMessage", {"text": text, "buttons": buttons}

    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        """What a result says."""
        return shown_items(as_response(payload.result))

    def split(self, text: str) -> Sequence[str]:
        """Messages that the platform takes."""
        return split_utf16(text, TEXT_LIMIT)

    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        """One message; the later ones of a reply are patient, since the earlier cannot be taken back."""
        for attempt in range(1, _PATIENCE + 1):
            try:
                return await self.send(destination, method, params)
            except Refused as refused:
                if not begun or refused.status != 429 or attempt == _PATIENCE:
                    raise
                await asyncio.sleep(refused.retry_after or attempt)
            except PushRetryable:
                if not begun or attempt == _PATIENCE:
                    raise
                await asyncio.sleep(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        """One call; the id of the message."""
        place = place_of(destination)
        if method == "sendMessage":
            more = {name: value for name, value in params.items() if name != "text"}
            sent = await self.api.send_text({**place, **more}, params["text"])
        else:
            sent = await self.api.call(method, {**place, **params})
        return str(sent["id"])
