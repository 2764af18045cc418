"""The same chat bot, showing its answer as it comes, by editing its message."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
from agent_framework import AgentResponse, Message

from hosting import (
    ChannelRequest,
    Destination,
    HostedRunResult,
    HostedStreamResult,
    InboundEvent,
    PushContext,
    PushReceipt,
    PushRetryable,
)
from hosting.messaging import StreamedItems

from .bot import BotChannel
from .bot_api import Refused
from .bot_message import place_of
from .draft import PLACEHOLDER, Draft


class EditBotChannel(BotChannel):
    """The reference for channels that stream by editing. Options as for `BotChannel`.

    The end of an answer is an outbox row like every other reply (contract 4.6): `push` puts it into the message that the
    run began.
    """

    stream_update_hook: Any
    needs_menu = True

    def __init__(self, *, name: str = "editor", path: str = "/editor", **options: Any) -> None:
        super().__init__(name=name, path=path, **options)
        self.drafts: dict[str, Draft] = {}  # by response id
        self.ending: dict[Destination, Draft] = {}

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        """One turn to its end, shown as it comes."""
        stream = await self.context.run_stream(
            request.replace(stream=True), protocol_request=event.payload, on_commit=self.asked(request)
        )
        draft = self.drafts[stream.response_id] = self.new_draft(request.destination)
        answered = False
        try:
            await self.show(stream, draft)
            draft.complete.set()
            result = await stream.result()
            answered = bool(result.deliveries)
            return result
        finally:
            draft.complete.set()
            await stream.aclose()
            if not answered:
                await self.give_up(stream.response_id, draft)

    def new_draft(self, place: Destination) -> Draft:
        """A message that is not sent yet."""
        return Draft(self.api, place_of(place), self.context.time_source, self.context.mark_seen)

    async def show(self, stream: HostedStreamResult, draft: Draft) -> None:
        """Shows what has come, in as many steps as the pace allows."""
        items = StreamedItems()
        async for updates in stream.batches():
            for update in updates:
                for _ in items.add(update):
                    draft.texts = items.texts
            if updates:
                await draft.show(self.so_far(draft))

    def so_far(self, draft: Draft) -> str:
        """The first message of what has come."""
        parts = (part for text in draft.texts for part in self.split(text))
        return next((part for part in parts if part.strip()), PLACEHOLDER)

    async def give_up(self, response_id: str, draft: Draft) -> None:
        """Takes away what stands for an answer that does not come; what people have read stays."""
        self.drafts.pop(response_id, None)
        if draft.empty:
            with suppress(Refused, PushRetryable, httpx.HTTPError):
                await draft.remove()

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        """Sends a result; its first text goes into the message that the run began."""
        draft = self.drafts.get(payload.response_id) or self.begun_before(destination, payload, context)
        if draft is None:
            return await super().push(destination, payload, context=context)
        await draft.complete.wait()
        if draft.lost or self.is_forgotten(payload, draft):
            self.drafts.pop(payload.response_id, None)
            return PushReceipt(status="unknown", native_ids=context.begun)
        self.ending[destination] = draft
        try:
            receipt = await super().push(destination, self.as_streamed(payload, draft), context=context)
            if receipt.status == "sent" and destination in self.ending:  # the answer holds no text
                await draft.remove()
            self.drafts.pop(payload.response_id, None)
        finally:
            self.ending.pop(destination, None)
        return receipt

    def begun_before(
        self, destination: Destination, payload: HostedRunResult[Any], context: PushContext
    ) -> Draft | None:
        """The message that an earlier process began (contract 4.5)."""
        if not context.begun:
            return None
        draft = self.new_draft(destination)
        draft.id = int(context.begun[0])
        draft.complete.set()
        return draft

    def is_forgotten(self, payload: HostedRunResult[Any], draft: Draft) -> bool:
        """An earlier process knew what the stream hook let through of this answer; nobody does now."""
        streamed = self.stream_update_hook is not None and self.response_hook is None
        return streamed and bool(payload.response_id) and payload.response_id not in self.drafts

    def as_streamed(self, payload: HostedRunResult[Any], draft: Draft) -> HostedRunResult[Any]:
        """The result as the stream hook let it through (contract 5.3); a response hook has the last word."""
        if self.stream_update_hook is None or self.response_hook is not None:
            return payload
        texts = [text for text in draft.texts if text.strip()]
        return payload.replace(result=AgentResponse(messages=[Message("assistant", texts)]))

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        """One call; the message under way ends with it, if it is a text."""
        draft = self.ending.get(destination)
        if draft is None or method != "sendMessage":
            return await super().send(destination, method, params)
        more = {name: value for name, value in params.items() if name != "text"}
        sent = await draft.end(params["text"], more)
        del self.ending[destination]
        return sent
