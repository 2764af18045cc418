"""Which messages of a group are for the bot (contract 6.4): pure."""

from __future__ import annotations

from typing import Literal

GroupMode = Literal["mention_only", "command_only", "mention_or_command", "all"]
"""What a channel's `accept_in_group` says."""


def accepted_in_group(mode: GroupMode, *, mention: bool, command: bool) -> bool:
    """Whether a message in a group is for the bot; any other gets no answer of any kind.

    Args:
        mode: The channel's `accept_in_group`.
        mention: It names the bot, or answers it, by the platform's own marks.
        command: It is a command, and not one for another bot.
    """
    match mode:
        case "all":
            return True
        case "mention_only":
            return mention
        case "command_only":
            return command
        case "mention_or_command":
            return mention or command
