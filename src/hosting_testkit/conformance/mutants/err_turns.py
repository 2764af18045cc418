"""Channels that make a failed or an empty turn worse than it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from hosting import ChannelRequest, Destination, HostedRunResult, InboundEvent, RunFailed
from hosting.messaging import OutboundFile

from ..reference import BotChannel, RpcChannel
from ..reference.bot_api import Refused
from .model import mutant


@mutant(
    "sends-empty", kills={"HC-ERR-008": "an empty text, one-shot: calls that the platform refused: FAILED"}
)
class SendsEmpty(BotChannel):
    def messages(self, payload: HostedRunResult[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from list(super().messages(payload)) or [("sendMessage", {"text": ""})]


@mutant(
    "blank-bubble",
    defect="sends texts of white space alone, and passes over their refusal",
    kills={"HC-ERR-008": "a blank, one-shot: calls that the platform refused: FAILED"},
)
class BlankBubble(BotChannel):
    def messages(self, payload: HostedRunResult[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for item in self.items(payload):
            if isinstance(item, str) and item and not item.strip():
                yield "sendMessage", {"text": item}
        yield from super().messages(payload)

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        try:
            return await super().send(destination, method, params)
        except Refused as refused:
            if refused.code != "text_empty":
                raise
            return ""


@mutant(
    "ends-at-blank",
    defect="takes a text of white space alone for the end of the answer",
    kills={"HC-ERR-008": "a blank before a tool call, one-shot: texts beside it: FAILED"},
)
class EndsAtBlank(BotChannel):
    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        items = super().items(payload)
        return list(takewhile(lambda item: isinstance(item, OutboundFile) or bool(item.strip()), items))


@mutant("poisoned-state", kills={"HC-ERR-014": "the next turn in the same conversation: FAILED"})
class PoisonedState(RpcChannel):
    broken: RunFailed | None = None

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        if self.broken is not None:
            raise self.broken
        try:
            return await super().run(turn, body)
        except RunFailed as error:
            self.broken = error
            raise


@mutant("fails-in-silence", kills={"HC-ERR-017": "by default: messages: FAILED"})
class FailsInSilence(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.apology = ""


@mutant("apology-per-attempt", kills={"HC-ERR-017": "by default: messages: FAILED"})
class ApologyPerAttempt(BotChannel):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            return await super().run(request, event)
        except RunFailed as error:
            place = {"chat": event.conversation_id, "thread": event.thread_id}
            await self.api.send_text(place, f"Trying again. ({error.error_id})")
            raise
