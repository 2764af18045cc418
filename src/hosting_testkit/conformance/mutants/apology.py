"""Channels that speak of a failed turn or command in the wrong way."""

from __future__ import annotations

from typing import Any

from hosting import ChannelRequest, HostedRunResult, HostingError, InboundEvent

from ..reference import BotChannel
from .model import mutant


@mutant(
    "apology-without-id",
    defect="apologises in words of its own, without the id",
    kills={
        "HC-CMD-005": "an id that is in the log too: FAILED",
        "HC-ERR-006": "one-shot: an id that is in the log too: FAILED",
        "HC-ERR-017": "by default: an id that is in the log: FAILED",
    },
)
class ApologyWithoutId(BotChannel):
    apology: str | None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.apology = self.apology or "Something went wrong."


@mutant(
    "apology-empty",
    defect="says nothing where it should apologise",
    kills={"HC-CMD-005": "messages that are shown: FAILED"},
)
class ApologyEmpty(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.apology = ""


@mutant(
    "apology-long",
    defect="apologises at length",
    kills={"HC-ERR-017": "by default: it is short: FAILED"},
)
class ApologyLong(BotChannel):
    apology: str | None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        words = "We are very sorry that this did not work as it should have. " * 6
        self.apology = self.apology or f"{words}{{id}}"


@mutant(
    "apology-technical",
    defect="names class and file of the failure in its apology",
    kills={"HC-ERR-017": "by default: what it tells of the exception: FAILED"},
)
class ApologyTechnical(BotChannel):
    apology: str | None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.apology = self.apology or "RuntimeError in agent.py ({id})"


@mutant(
    "apology-fixed",
    defect="does not use the app's own words",
    kills={"HC-ERR-017": "the app's own words: FAILED"},
)
class ApologyFixed(BotChannel):
    apology: str | None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.apology = None


@mutant(
    "retries-turn",
    defect="runs a failed turn again",
    kills={
        "HC-CMD-005": "calls of the broken handler: FAILED",
        "HC-ERR-009": "an event whose run fails: runs: FAILED",
    },
)
class RetriesTurn(BotChannel):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            return await super().run(request, event)
        except HostingError:
            return await super().run(request.replace(delivery_id=None), event)


@mutant(
    "explains-failure",
    defect="tells people the exception behind a failure",
    kills={"HC-CMD-005": "nothing of the exception is told: FAILED"},
)
class ExplainsFailure(BotChannel):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            return await super().run(request, event)
        except HostingError as error:
            await self.api.send_text({"chat": event.conversation_id}, f"Reason: {error.__context__}")
            raise
