"""Channels that make a failed or an empty turn worse than it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hosting import ChannelRequest, HostedRunResult, InboundEvent, RunFailed

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("sends-empty", kills={"HC-ERR-008": "calls that the platform refused: FAILED"})
class SendsEmpty(BotChannel):
    def messages(self, payload: HostedRunResult[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from list(super().messages(payload)) or [("sendMessage", {"text": ""})]


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
