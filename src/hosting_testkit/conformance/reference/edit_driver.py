"""The driver of the reference bot that edits."""

from __future__ import annotations

from typing import ClassVar

from ...drivers import SUPPORTED
from .bot import BotChannel
from .bot_driver import BotDriver
from .draft import INTERVAL
from .edit_bot import EditBotChannel


class EditBotDriver(BotDriver):
    """As `BotDriver`, with messages that change."""

    name = "editor"
    capabilities = BotDriver.capabilities.but(
        streaming=SUPPORTED,
        edits=SUPPORTED(interval=INTERVAL),
        native_commands=SUPPORTED(on_failure="fail"),
    )
    channel_class: ClassVar[type[BotChannel]] = EditBotChannel
