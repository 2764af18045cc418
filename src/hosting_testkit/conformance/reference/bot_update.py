"""Updates of the platform, read: pure, and total for what they may be (contract 2.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from hosting import RequestError
from hosting.messaging import GroupMode

_COMMAND = re.compile(r"/([A-Za-z0-9_]+)(?:@([A-Za-z0-9_]+))?(?=\s|\Z)")


class Person(msgspec.Struct, frozen=True):
    """Who wrote or pressed."""

    id: str
    name: str = ""
    bot: bool = False


class Chat(msgspec.Struct, frozen=True):
    """Where."""

    id: str
    kind: Literal["private", "group"] = "private"


class Entity(msgspec.Struct, frozen=True):
    """A stretch of the text with a meaning; offsets count UTF-16 units."""

    type: str
    offset: int
    length: int
    person: str | None = None


class File(msgspec.Struct, frozen=True):
    """A file that came along; its bytes are fetched."""

    id: str
    name: str
    media_type: str


class Message(msgspec.Struct, frozen=True):
    """A message."""

    chat: Chat
    sender: Person | None = msgspec.field(name="from", default=None)
    text: str = ""
    entities: tuple[Entity, ...] = ()
    thread: str | None = None
    reply_to: Message | None = None
    file: File | None = None


class Press(msgspec.Struct, frozen=True):
    """A button that somebody pressed."""

    id: str
    data: str
    message: Message
    sender: Person | None = msgspec.field(name="from", default=None)


class Update(msgspec.Struct, frozen=True):
    """Something that happened, of a kind that this version knows."""

    id: int | str
    kind: Literal["message", "button"]
    message: Message | None = None
    press: Press | None = None

    @property
    def shown(self) -> Message:
        """The message that it is about."""
        found = self.press.message if self.press else self.message
        if found is None:
            raise RequestError(f"The update of kind {self.kind!r} holds nothing.")
        return found

    @property
    def sender(self) -> Person | None:
        """Who did it; None where the platform does not say, as in groups whose admins write unnamed."""
        return self.press.sender if self.press else self.shown.sender


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is no turn, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The bot's own account, and what it listens to.

    Args:
        id: Its id on the platform.
        name: Its name, by which people mention it.
        in_groups: What it listens to in groups (contract 6.4).
        bots: Whether it listens to other bots (contract 17.4).
    """

    id: str = "u_bot"
    name: str = "helper"
    in_groups: GroupMode = "mention_only"
    bots: bool = False


@dataclass(frozen=True, slots=True)
class Addressed:
    """How a message is meant.

    Args:
        text: What is said, without the bot's own name.
        mention: It is for this bot: it names it, or answers it.
        command: It begins with a command.
    """

    text: str
    mention: bool
    command: bool

    def accepted(self, mode: GroupMode) -> bool:
        """Whether a message in a group is for the bot (contract 6.4)."""
        by_command = self.command and mode in ("command_only", "mention_or_command")
        return (
            mode == "all" or by_command or (self.mention and mode in ("mention_only", "mention_or_command"))
        )


def read_update(payload: Mapping[str, Any]) -> Update | Ignored:
    """The update, or why it is none for us.

    Raises:
        RequestError: It is of a kind that we know, and malformed.
    """
    if payload.get("kind") not in ("message", "button"):
        return Ignored("neither message nor button")
    try:
        return msgspec.convert(payload, Update)
    except msgspec.ValidationError as error:
        raise RequestError(f"The update is malformed: {error}.") from error


def unwanted(update: Update, account: Account) -> Ignored | None:
    """Why an update is no turn of this bot, or None."""
    sender, message = update.sender, update.shown
    if sender and (sender.id == account.id or (sender.bot and not account.bots)):
        return Ignored("written by a bot")
    if update.press is not None:
        return None
    said = address(message, account)
    if isinstance(said, Ignored):
        return said
    if not said.text.strip() and message.file is None:
        return Ignored("blank text")
    in_group = message.chat.kind == "group"
    return Ignored("not addressed") if in_group and not said.accepted(account.in_groups) else None


def address(message: Message, account: Account) -> Addressed | Ignored:
    """How a message is meant, told by the platform's own marks and never by the look of the text (contract 6.4)."""
    text, mention = message.text, False
    for entity in message.entities:
        if entity.type == "mention" and entity.person == account.id and not mention:
            text, mention = _cut(text, entity), True
    command = _COMMAND.match(text)
    if command and command[2]:
        if command[2].lower() != account.name.lower():
            return Ignored("a command for another bot")
        text, mention = f"/{command[1]}{text[command.end() :]}", True
    answered = message.reply_to.sender if message.reply_to else None
    answers = answered is not None and answered.id == account.id
    return Addressed(text, mention or answers, command is not None)


def _cut(text: str, entity: Entity) -> str:
    """`text` without an entity and one space behind it."""
    units = text.encode("utf-16-le", "surrogatepass")
    before, behind = units[: 2 * entity.offset], units[2 * (entity.offset + entity.length) :]
    rest = behind.decode("utf-16-le", "surrogatepass").removeprefix(" ")
    return before.decode("utf-16-le", "surrogatepass") + rest
