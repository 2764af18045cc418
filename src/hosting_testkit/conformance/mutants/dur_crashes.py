"""Channels that lose or repeat things when their process dies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hosting import Destination, HostedRunResult, InboundEvent, PushContext, PushReceipt

from ..reference import BotChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant("lost-after-ack", kills={"HC-DUR-002": "replies to an event that was about to be stored: FAILED"})
class LostAfterAck(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        self.context.spawn(super().take(payload), name="take")


@mutant(
    "processes-behind-the-hosts-back",
    defect="has its events run in tasks of its own, and the host take them for done",
    kills={"HC-DUR-002": "replies to an event whose process was killed, at the next start: FAILED"},
)
class ProcessesBehindTheHostsBack(BotChannel):
    async def process(self, event: InboundEvent, /) -> None:
        self.context.spawn(super().process(event), name="process")
        await asyncio.sleep(0)


@mutant(
    "accepts-again-at-its-start",
    defect="accepts what was not answered again at each start, as if it were new",
    kills={"HC-DUR-002": "runs of an event that kills every process: FAILED"},
)
class AcceptsAgainAtItsStart(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if not isinstance(event, Ignored):
            await self.context.state("open").put(event.delivery_id, dict(payload))
            await self.context.accept(event)

    async def process(self, event: InboundEvent, /) -> None:
        await super().process(event)
        await self.context.state("open").delete(event.delivery_id)

    async def start(self) -> None:
        await super().start()
        self.context.spawn(self.accept_again(), name="accept again")

    async def accept_again(self) -> None:
        await asyncio.sleep(1.0)
        for key, payload in await self.context.state("open").scan(""):
            event = self.parse(payload)
            if not isinstance(event, Ignored):
                await self.context.accept(replace(event, delivery_id=f"{key} again"))


@mutant(
    "tells-no-apology",
    defect="shows nothing but answers of the target",
    kills={"HC-DUR-002": "messages that tell of an event that was given up: FAILED"},
)
class TellsNoApology(BotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        if not payload.response_id:
            return PushReceipt(status="sent")
        return await super().push(destination, payload, context=context)


@mutant("resend-all-parts", kills={"HC-DUR-003": "parts, killed before one arrived: FAILED"})
class SendsAgainAtItsStart(BotChannel):
    """Keeps what it is about to send, and begins again with it."""

    async def start(self) -> None:
        await super().start()
        due = self.context.state("due")
        for chat, text in await due.scan(""):
            for part in self.split(text):
                await self.send(Destination(self.name, None, chat), "sendMessage", {"text": part})
            await due.delete(chat)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        due, chat = self.context.state("due"), destination.conversation_id or ""
        await due.put(chat, payload.text)
        receipt = await super().push(destination, payload, context=context)
        await due.delete(chat)
        return receipt


@mutant(
    "reports-before-it-sends",
    defect="says that a reply was sent, and sends it in a task of its own",
    kills={"HC-DUR-003": "what is on record, killed before one arrived: FAILED"},
)
class ReportsBeforeItSends(BotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        sending = super().push(destination, payload, context=context)
        self.context.spawn(sending, name="send")
        await asyncio.sleep(0)
        return PushReceipt(status="sent")
