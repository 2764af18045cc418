"""Odd but legal bots must pass (conformance-kit 6.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest
from agent_framework import Message

from hosting import ChannelRequest, InboundEvent
from hosting_testkit.conformance import check_channel
from hosting_testkit.conformance.reference import BotChannel, BotDriver
from hosting_testkit.conformance.reference.bot_update import Ignored, Update, read_update

AREAS = ("IDEM", "CONC", "CMD", "GROUP", "SESS")
"""Where these bots are odd."""


class SettlesLater(BotChannel):
    """Claims what is said in a group without it being addressed, and does nothing with it."""

    def ignores(self, update: Update) -> Ignored | None:
        reason = super().ignores(update)
        return None if reason == Ignored("not addressed") else reason

    async def process(self, event: InboundEvent, /) -> None:
        update = read_update(event.payload)
        if isinstance(update, Ignored) or super().ignores(update) is None:
            await super().process(event)


class RemembersAFew(BotChannel):
    """Spares the store what it has claimed a moment ago."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.latest: deque[str] = deque(maxlen=1)

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored) or event.delivery_id in self.latest:
            return
        await self.context.accept(event)
        self.latest.append(event.delivery_id)


class BotMessages(BotChannel):
    """Gives the target messages rather than text."""

    async def with_contents(self, request: ChannelRequest, event: InboundEvent) -> ChannelRequest | None:
        full = await super().with_contents(request, event)
        said = full.input if full else None
        return full.replace(input=[Message("user", [said])]) if full and isinstance(said, str) else full


@pytest.mark.parametrize(
    "channel", [SettlesLater, RemembersAFew, BotMessages], ids=lambda value: value.__name__
)
def test_an_eccentric_but_legal_bot_passes(channel: Any) -> None:
    driver = type("Eccentric", (BotDriver,), {"channel_class": channel})
    check_channel(driver, *(f"HC-{area}-*" for area in AREAS)).raise_for_failures()
