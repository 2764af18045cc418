"""Channels whose menu of commands costs them, or others, something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from hosting import PushRetryable

from ..reference import BotChannel, EditBotChannel
from .model import mutant


@mutant(
    "starts-without-menu",
    defect="starts without its menu though it promised not to",
    kills={"HC-CMD-002": "it starts while the platform is away: FAILED"},
)
class StartsWithoutMenu(EditBotChannel):
    needs_menu = False


@mutant(
    "mute-without-menu",
    defect="takes no event if it could not write its menu at the start",
    kills={"HC-CMD-002": "a turn after the start: FAILED"},
)
class MuteWithoutMenu(BotChannel):
    mute = False

    async def offer_commands(self) -> None:
        try:
            await super().offer_commands()
        except (PushRetryable, httpx.HTTPError):
            self.mute = True
            raise

    async def take(self, payload: Mapping[str, Any]) -> None:
        if not self.mute:
            await super().take(payload)


@mutant(
    "tidies-menu",
    defect="takes the commands of others for old ones of its own, once its own are there",
    kills={"HC-CMD-002": "the menu after another start: FAILED"},
)
class TidiesMenu(BotChannel):
    async def offer_commands(self) -> None:
        before = await self.api.call("getCommands", {})
        await super().offer_commands()
        if before == await self.api.call("getCommands", {}):
            ours = [item for item in self.context.commands if item.expose_in_ui]
            menu = [{"name": item.name, "description": item.description} for item in ours]
            await self.api.call("setCommands", {"commands": menu})
