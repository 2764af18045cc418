"""The wire of the made-up bot API: parameters of its methods, and how messages look in answers and updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ..parts.markup import Entity
from .chats import Chat, Message, Person

Format = Literal["plain", "markup"]


class Params(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Parameters of a method; a field that the platform does not know is refused."""


class Nothing(Params, frozen=True):
    """No parameters."""


class EntityParam(Params, frozen=True):
    """See `Entity`."""

    type: Literal["bold", "italic", "code", "mention"]
    offset: int
    length: int
    person: str | None = None


class ButtonParam(Params, frozen=True):
    """See `Button`."""

    text: str
    data: str


class SendMessage(Params, frozen=True):
    """A new message. With `format` `markup` the styles stand in the text, else in `entities`."""

    chat: str
    text: str
    format: Format = "plain"
    entities: tuple[EntityParam, ...] = ()
    thread: str | None = None
    reply_to: int | None = None
    buttons: tuple[tuple[ButtonParam, ...], ...] = ()


class EditMessage(Params, frozen=True):
    """A message's new text; without `buttons` they go away."""

    chat: str
    message: int
    text: str
    format: Format = "plain"
    entities: tuple[EntityParam, ...] = ()
    buttons: tuple[tuple[ButtonParam, ...], ...] = ()


class DeleteMessage(Params, frozen=True):
    """Which message to take away."""

    chat: str
    message: int


class SendTyping(Params, frozen=True):
    """Where to show that the bot is typing."""

    chat: str
    thread: str | None = None


class SendFile(Params, frozen=True):
    """A file in base64, with a caption."""

    chat: str
    name: str
    data: bytes
    media_type: str = "application/octet-stream"
    caption: str = ""
    thread: str | None = None
    reply_to: int | None = None


class AnswerButton(Params, frozen=True):
    """The answer to a press: a short text for the one who pressed."""

    press: str
    text: str = ""


class CommandParam(Params, frozen=True):
    """One entry of the command menu."""

    name: str
    description: str


class SetCommands(Params, frozen=True):
    """The whole command menu."""

    commands: tuple[CommandParam, ...]


class GetUpdates(Params, frozen=True):
    """A poll: `offset` confirms what comes before it, `timeout` is how many seconds it may wait."""

    offset: int | None = None
    limit: int = 100
    timeout: float = 0.0
    kinds: tuple[str, ...] | None = None


class SetWebhook(Params, frozen=True):
    """Where updates are posted, and the secret that they are signed with."""

    url: str
    secret: str
    kinds: tuple[str, ...] | None = None
    drop_pending: bool = False


class DeleteWebhook(Params, frozen=True):
    """Back to polling."""

    drop_pending: bool = False


class ChatParam(Params, frozen=True):
    """A chat."""

    chat: str


def person_json(person: Person) -> dict[str, Any]:
    """A person on the wire."""
    return {"id": person.id, "name": person.name, "bot": person.bot}


def chat_json(chat: Chat) -> dict[str, Any]:
    """A chat on the wire."""
    return {"id": chat.id, "kind": chat.kind, "title": chat.title}


def message_json(message: Message, chat: Chat, *, quoting: bool = True) -> dict[str, Any]:
    """A message on the wire; what it answers comes with it, one level deep."""
    found: dict[str, Any] = {
        "id": message.id,
        "chat": chat_json(chat),
        "from": person_json(message.sender),
        "date": message.at,
        "text": message.text,
        "entities": [_entity_json(entity) for entity in message.entities],
        "thread": message.thread,
        "edited": message.edited,
    }
    if message.buttons:
        found["buttons"] = [[{"text": b.text, "data": b.data} for b in row] for row in message.buttons]
    if message.file:
        file = message.file
        found["file"] = {
            "id": file.id,
            "name": file.name,
            "media_type": file.media_type,
            "size": len(file.data),
        }
    answered = chat.find(message.reply_to) if message.reply_to else None
    if answered and quoting:
        found["reply_to"] = message_json(answered, chat, quoting=False)
    return {name: value for name, value in found.items() if value is not None}


def _entity_json(entity: Entity) -> Mapping[str, Any]:
    found = {"type": entity.type, "offset": entity.offset, "length": entity.length}
    return found | ({"person": entity.person} if entity.person else {})
