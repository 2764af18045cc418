"""What the made-up platform takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from ..parts.rate_limit import Rate

FIVE_IN_FIVE_SECONDS = Rate(5, 5.0)
TWENTY_A_MINUTE = Rate(20, 60.0)
THIRTY_A_SECOND = Rate(30, 1.0)


class Pace(TypedDict):
    """The rate limits among `BotLimits`."""

    per_chat: Rate | None
    per_group: Rate | None
    overall: Rate | None


UNPACED: Pace = {"per_chat": None, "per_group": None, "overall": None}
"""`BotLimits(**UNPACED)`: no rate limits, for tests of something else."""


@dataclass(frozen=True, slots=True)
class BotLimits:
    """Limits of `BotPlatform`; the defaults are those of a platform that many bots know.

    Args:
        text: UTF-16 units of a message, counted after its markup was parsed.
        caption: The same of a file's caption.
        entities: Styled stretches of one message.
        buttons: Buttons under one message.
        button_data: Bytes that one button carries.
        answer: Characters of the answer to a press.
        answer_within: Seconds in which a press can be answered.
        delete_within: Seconds in which a message can be deleted.
        commands: Commands of a bot.
        file: Bytes of a file.
        updates: Updates that one poll gives.
        per_chat: Messages and edits in one private chat.
        per_group: Messages and edits in one group.
        overall: Messages and edits of the bot.
        typing: Seconds that a typing sign stays.
        keep: Seconds that an update waits for the bot.
    """

    text: int = 4096
    caption: int = 1024
    entities: int = 100
    buttons: int = 100
    button_data: int = 64
    answer: int = 200
    answer_within: float = 900.0
    delete_within: float = 172_800.0
    commands: int = 100
    file: int = 5 * 1024 * 1024
    updates: int = 100
    per_chat: Rate | None = FIVE_IN_FIVE_SECONDS
    per_group: Rate | None = TWENTY_A_MINUTE
    overall: Rate | None = THIRTY_A_SECOND
    typing: float = 5.0
    keep: float = 86_400.0
