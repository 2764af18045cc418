"""Webhooks that treat an event which could not be kept as if it were another one, or the same one twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting.state import StateUnavailable

from ..reference import BotChannel
from .model import mutant


@mutant(
    "runs-unclaimed",
    defect="asks the agent itself about an event that could not be kept",
    kills={"HC-ERR-009": "runs while the store cannot be reached: FAILED"},
)
class RunsUnclaimed(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        try:
            await super().take(payload)
        except StateUnavailable:
            context: Any = self.context
            await context._services.target._agent.run(self.text(payload))
            raise


@mutant(
    "remembers-refusal",
    defect="refuses an event for good that it could not keep once",
    kills={"HC-ERR-009": "the same event, sent again: status: FAILED"},
)
class RemembersRefusal(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.refused: dict[str, StateUnavailable] = {}

    async def take(self, payload: Mapping[str, Any]) -> None:
        if payload["id"] in self.refused:
            raise self.refused[payload["id"]]
        try:
            await super().take(payload)
        except StateUnavailable as error:
            self.refused[payload["id"]] = error
            raise


@mutant(
    "seen-before-claim",
    defect="remembers an event as seen before it is kept",
    kills={"HC-ERR-009": "the same event, sent again: it is answered: FAILED"},
)
class SeenBeforeClaim(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()

    async def take(self, payload: Mapping[str, Any]) -> None:
        if payload["id"] not in self.seen:
            self.seen.add(payload["id"])
            await super().take(payload)


@mutant(
    "replays-refused",
    defect="keeps an event that it refused, and runs it beside the one that is sent again",
    kills={"HC-ERR-009": "the same event, sent again: runs: FAILED"},
)
class ReplaysRefused(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.refused: list[Mapping[str, Any]] = []

    async def take(self, payload: Mapping[str, Any]) -> None:
        try:
            await super().take(payload)
        except StateUnavailable:
            self.refused.append({**payload, "id": f"{payload['id']}-kept"})
            raise
        while self.refused:
            await super().take(self.refused.pop())
