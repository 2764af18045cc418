"""What people see: chats, their members and messages, after every edit and deletion."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..parts.markup import Entity

ChatKind = Literal["private", "group"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account: a human or a bot."""

    id: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `data` comes back when it is pressed."""

    text: str
    data: str


@dataclass(frozen=True, slots=True)
class File:
    """A file in a message."""

    id: str
    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as people see it now; `id` counts within its chat.

    Args:
        id: Its number, which is unique in its chat only.
        chat: The chat's id.
        sender: Who wrote it.
        text: What it says; the caption if there is a file.
        at: When it was sent, in epoch seconds.
        thread: The thread's id.
        reply_to: The number of the message that it answers.
        entities: Its styles and mentions.
        buttons: Rows of buttons.
        file: Its file.
        edited: When it was last edited, in epoch seconds.
    """

    id: int
    chat: str
    sender: Person
    text: str
    at: float
    thread: str | None = None
    reply_to: int | None = None
    entities: tuple[Entity, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    file: File | None = None
    edited: float | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """A typing sign and when it was sent, in epoch seconds."""

    at: float
    thread: str | None = None


class Chat:
    """One private chat or group.

    Attributes:
        members: Who is in it.
        admins: Ids of those who may delete what others wrote.
        threads: Titles of its threads by id.
        blocked: True if the person has blocked the bot.
        started: True once a person has written here; before that a bot may not write in a private chat.
        typing: Typing signs, in order.
        versions: Every message as it was sent and after each edit, in order; nothing is taken away.
    """

    def __init__(self, id: str, kind: ChatKind, title: str) -> None:
        self.id = id
        self.kind: ChatKind = kind
        self.title = title
        self.members: dict[str, Person] = {}
        self.admins: set[str] = set()
        self.threads: dict[str, str] = {}
        self.blocked = False
        self.started = kind == "group"
        self.typing: list[Typing] = []
        self.versions: list[Message] = []
        self._messages: dict[int, Message] = {}
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        return f"Chat({self.id!r}, {len(self._messages)} messages)"

    @property
    def visible(self) -> list[Message]:
        """What a person sees who opens the chat now."""
        return list(self._messages.values())

    @property
    def texts(self) -> list[str]:
        """The texts of `visible`."""
        return [message.text for message in self.visible]

    @property
    def bot_texts(self) -> list[str]:
        """The texts of `visible` that bots wrote."""
        return [message.text for message in self.visible if message.sender.bot]

    def in_thread(self, thread: str | None) -> list[Message]:
        """What a person sees in one thread; None: outside of threads."""
        return [message for message in self.visible if message.thread == thread]

    def find(self, number: int) -> Message | None:
        """A message that is there now."""
        return self._messages.get(number)

    def next_number(self) -> int:
        """The number for a new message."""
        return next(self._numbers)

    def show(self, message: Message) -> Message:
        """Adds a message, or puts its new version in its place."""
        self._messages[message.id] = message
        self.versions.append(message)
        return message

    def edit(self, message: Message, *, at: float, **changes: Any) -> Message:
        """Shows a message with these fields changed."""
        return self.show(replace(message, edited=at, **changes))

    def take_away(self, number: int) -> None:
        """Deletes a message for everybody."""
        del self._messages[number]


class Chats:
    """All chats and people of a platform. Ids are made of names, so that a failing test is easy to read."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self._chats: dict[str, Chat] = {}
        self._files: dict[str, File] = {}

    @property
    def all(self) -> Mapping[str, Chat]:
        """Every chat by id."""
        return self._chats

    def person(self, name: str, *, bot: bool = False) -> Person:
        """The person of that name, made on first use."""
        return self.people.setdefault(name, Person(f"u_{name}", name, bot))

    def find(self, chat: str) -> Chat | None:
        """A chat by id."""
        return self._chats.get(chat)

    def private(self, person: Person) -> Chat:
        """The private chat of a person with the bot, made on first use."""
        chat = self._chats.setdefault(f"c_{person.name}", Chat(f"c_{person.name}", "private", person.name))
        chat.members.setdefault(person.id, person)
        return chat

    def group(self, title: str, members: Sequence[Person] = ()) -> Chat:
        """The group of that title, made on first use; `members` are added."""
        chat = self._chats.setdefault(f"g_{title}", Chat(f"g_{title}", "group", title))
        chat.members |= {member.id: member for member in members}
        return chat

    def keep_file(self, name: str, media_type: str, data: bytes) -> File:
        """Keeps a file for download."""
        file = File(f"f_{len(self._files) + 1}", name, media_type, data)
        self._files[file.id] = file
        return file

    def file(self, id: str) -> File | None:
        """A kept file."""
        return self._files.get(id)
