"""Channels that go on wrongly after their process died in the middle of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import (
    Caller,
    ChannelRequest,
    Destination,
    HostedRunResult,
    HostingError,
    InboundEvent,
    PushContext,
    PushReceipt,
)
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BotChannel, EditBotChannel, RpcChannel
from ..reference.bot_message import place_of
from ..reference.draft import Draft
from .model import mutant


@mutant(
    "shows-unmarked",
    defect="does not tell the host what it shows before the end",
    kills={"HC-DUR-007": "runs of an answer that was seen in part: FAILED"},
)
class ShowsUnmarked(EditBotChannel):
    def new_draft(self, place: Destination) -> Draft:
        return Draft(self.api, place_of(place), self.context.time_source)


@mutant(
    "reruns-seen-output",
    kills={"HC-DUR-007": "messages of an answer that was seen in part: FAILED"},
)
class RerunsSeenOutput(EditBotChannel):
    def begun_before(
        self, destination: Destination, payload: HostedRunResult[Any], context: PushContext
    ) -> Draft | None:
        return None


class _TellsItsIdLate(Draft):
    async def _tell(self, ids: Any) -> None:
        await super()._tell([])

    async def end(self, text: str, params: Mapping[str, Any]) -> str:
        sent = await super().end(text, params)
        await super()._tell([sent])
        return sent


@mutant(
    "first-message-id-late",
    kills={"HC-DUR-007": "messages of an answer that was seen in part: FAILED"},
)
class FirstMessageIdLate(EditBotChannel):
    def new_draft(self, place: Destination) -> Draft:
        return _TellsItsIdLate(self.api, place_of(place), self.context.time_source, self.context.mark_seen)


@mutant(
    "leaves-the-stump",
    defect="takes a message that an earlier process began for one that says it all",
    kills={"HC-DUR-007": "the message that it began: FAILED"},
)
class LeavesTheStump(EditBotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        if context.begun and payload.response_id not in self.drafts:
            return PushReceipt(status="sent", native_ids=context.begun)
        return await super().push(destination, payload, context=context)


@mutant(
    "announces-another-attempt",
    defect="tells people that it begins once more",
    kills={"HC-DUR-007": "what is seen of an answer that nobody saw at first: FAILED"},
)
class AnnouncesAnotherAttempt(BotChannel):
    async def process(self, event: InboundEvent, /) -> None:
        begun = self.context.state("begun")
        if await begun.get(event.delivery_id):
            await self.api.send_text({"chat": event.conversation_id}, "Sorry, once more.")
        await begun.put(event.delivery_id, True)
        await super().process(event)


@mutant(
    "keys-that-say-nothing",
    defect="makes an idempotency key of its own for each request",
    kills={"HC-DUR-007": "runs of an answer whose process was killed: FAILED"},
)
class KeysThatSayNothing(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(delivery_id=turn.response_id)


@mutant(
    "interrupted-as-empty",
    defect="renders an answer that was cut off as an empty one",
    kills={"HC-DUR-007": "the end of an answer whose process was killed: FAILED"},
)
class InterruptedAsEmpty(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except HostingError as error:
            if error.code != "interrupted":
                raise
            empty = {"id": "", "status": "completed", "items": [""]}
            return JsonAnswer(msgspec.json.encode(empty))
