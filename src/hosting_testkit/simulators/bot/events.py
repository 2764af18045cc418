"""Which of the things that happen become updates of the bot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import wire
from .chats import Chat, Message, Person
from .core import BotCore


def tell(core: BotCore, kind: str, chat: Chat, by: Person, payload: Mapping[str, Any]) -> None:
    """Queues an update about what `by` did, unless the bot cannot see it."""
    absent = chat.kind == "group" and core.bot.id not in chat.members
    hidden = (by == core.bot and not core.sight.own) or (by.bot and by != core.bot and not core.sight.bots)
    if not (absent or hidden):
        core.updates.put(kind, payload)


def tell_message(core: BotCore, kind: str, chat: Chat, message: Message) -> None:
    """Queues an update about a message; see `Sight`."""
    if core.sight.unaddressed or chat.kind == "private" or _addressed(core, chat, message):
        tell(core, kind, chat, message.sender, {"message": wire.message_json(message, chat)})


def _addressed(core: BotCore, chat: Chat, message: Message) -> bool:
    meant = any(e.type == "command" or e.person == core.bot.id for e in message.entities)
    answered = chat.find(message.reply_to) if message.reply_to else None
    return meant or (answered is not None and answered.sender == core.bot)
