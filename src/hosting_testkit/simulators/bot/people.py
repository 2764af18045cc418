"""What people do: they write, edit, press buttons, come and go. All of it happens at once; the bot is told later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..parts.markup import Entity
from ..parts.text_units import utf16_units
from . import wire
from .chats import Chat, Message, Person
from .core import BotCore, Press
from .events import tell, tell_message


class Group:
    """A group, for its control.

    Attributes:
        chat: What people see in it.
    """

    def __init__(self, core: BotCore, chat: Chat, changed: Callable[[], None]) -> None:
        self.chat = chat
        self._core = core
        self._changed = changed

    @property
    def id(self) -> str:
        """The chat's id."""
        return self.chat.id

    def thread(self, title: str) -> str:
        """The id of the thread of that title, made on first use."""
        id = f"t_{title}"
        self.chat.threads.setdefault(id, title)
        return id

    def admits(self, *names: str) -> None:
        """Makes members admins; the bot by its own name."""
        self.chat.admins |= {self._core.chats.person(name).id for name in names}

    def adds_bot(self) -> None:
        """The bot becomes a member and is told so."""
        self.chat.members[self._core.bot.id] = self._core.bot
        self._core.updates.put("bot_added", {"chat": wire.chat_json(self.chat)})
        self._changed()

    def removes_bot(self) -> None:
        """The bot is thrown out and is told so."""
        self.chat.members.pop(self._core.bot.id, None)
        self._core.updates.put("bot_removed", {"chat": wire.chat_json(self.chat)})
        self._changed()


Place: TypeAlias = Group | None
"""Where something happens; None: in the person's private chat with the bot."""


class Somebody:
    """A person, for its control.

    Attributes:
        account: Its account.
    """

    def __init__(self, core: BotCore, account: Person, changed: Callable[[], None]) -> None:
        self.account = account
        self._core = core
        self._changed = changed

    @property
    def id(self) -> str:
        """The person's id."""
        return self.account.id

    @property
    def chat(self) -> Chat:
        """The private chat with the bot."""
        return self._core.chats.private(self.account)

    def says(
        self,
        text: str,
        *,
        in_: Place = None,
        mention: Somebody | Person | None = None,
        reply_to: Message | None = None,
        thread: str | None = None,
    ) -> Message:
        """Writes a message.

        Args:
            text: What it says.
            in_: The group; None: the private chat with the bot.
            mention: Who is meant; `@name` is put before the text unless it stands there.
            reply_to: The message that this one answers.
            thread: The thread's id, see `Group.thread`.

        Raises:
            ValueError: The person cannot do that.
        """
        chat = self._place(in_, thread)
        meant = mention.account if isinstance(mention, Somebody) else mention
        if meant and f"@{meant.name}" not in text:
            text = f"@{meant.name} {text}"
        answered = reply_to.id if reply_to else None
        return self._shows(chat, text, thread=thread, reply_to=answered, entities=_entities(text, meant))

    def sends_file(
        self, name: str, data: bytes, *, media_type: str = "text/plain", caption: str = "", in_: Place = None
    ) -> Message:
        """Sends a file, which the bot can download at `/files/ID`."""
        chat = self._place(in_, None)
        return self._shows(chat, caption, file=self._core.chats.keep_file(name, media_type, data))

    def edits(self, message: Message, text: str) -> Message:
        """Gives one of the person's messages another text."""
        chat, found = self._own(message)
        meant = next((p for p in chat.members.values() if p.id in {e.person for e in found.entities}), None)
        edited = chat.edit(found, at=self._core.clock.now(), text=text, entities=_entities(text, meant))
        tell_message(self._core, "message_edited", chat, edited)
        self._changed()
        return edited

    def deletes(self, message: Message) -> None:
        """Takes one of the person's messages away; bots are not told."""
        chat, found = self._own(message)
        chat.take_away(found.id)
        self._changed()

    def presses(self, button: str, *, under: Message | None = None, in_: Place = None) -> Press:
        """Presses a button, by its text or its data, under a message or under the latest one that has it.

        Raises:
            ValueError: There is no such button.
        """
        chat = self._place(in_, None)
        shown = [under] if under else list(reversed(chat.visible))
        for message in [found for each in shown if (found := chat.find(each.id))]:
            for each in [each for row in message.buttons for each in row]:
                if button in (each.text, each.data):
                    return self._press(each.data, message, chat)
        texts = [each.text for message in chat.visible for row in message.buttons for each in row]
        raise ValueError(f"found no button {button!r} in {chat.id}, expected one of {texts}")

    def joins(self, group: Group) -> None:
        """Becomes a member."""
        group.chat.members[self.id] = self.account
        self._tell("member_joined", group.chat)

    def leaves(self, group: Group) -> None:
        """Is no member any more."""
        group.chat.members.pop(self.id, None)
        self._tell("member_left", group.chat)

    def blocks(self) -> None:
        """Wants to hear nothing of the bot any more."""
        self.chat.blocked = True
        self._tell("bot_blocked", self.chat)

    def unblocks(self) -> None:
        """Takes that back."""
        self.chat.blocked = False
        self._tell("bot_unblocked", self.chat)

    def _shows(self, chat: Chat, text: str, **rest: Any) -> Message:
        now = self._core.clock.now()
        message = Message(chat.next_number(), chat.id, self.account, text, now, **rest)
        chat.started = True
        chat.show(message)
        tell_message(self._core, "message", chat, message)
        self._changed()
        return message

    def _press(self, data: str, message: Message, chat: Chat) -> Press:
        number = len(self._core.presses) + 1
        press = Press(f"press_{number}", data, self.account, message, self._core.clock.now())
        self._core.presses[press.id] = press
        wired = {
            "id": press.id,
            "data": data,
            "from": wire.person_json(self.account),
            "message": wire.message_json(message, chat),
        }
        tell(self._core, "button", chat, self.account, {"press": wired})
        self._changed()
        return press

    def _place(self, place: Place, thread: str | None) -> Chat:
        chat = place.chat if place else self.chat
        if self.id not in chat.members:
            raise ValueError(f"{self.account.name} is no member of {chat.title!r}; let them join first")
        if chat.blocked:
            raise ValueError(f"{self.account.name} has blocked the bot; let them unblock it first")
        if thread is not None and thread not in chat.threads:
            raise ValueError(
                f"thread: found {thread!r}, expected one of {list(chat.threads)}; see Group.thread"
            )
        return chat

    def _own(self, message: Message) -> tuple[Chat, Message]:
        chat = self._core.chats.find(message.chat)
        found = chat.find(message.id) if chat else None
        if chat is None or found is None or found.sender != self.account:
            raise ValueError(f"message {message.id} is not there, or {self.account.name} did not write it")
        return chat, found

    def _tell(self, kind: str, chat: Chat) -> None:
        payload = {"chat": wire.chat_json(chat), "from": wire.person_json(self.account)}
        tell(self._core, kind, chat, self.account, payload)
        self._changed()


def _entities(text: str, meant: Person | None) -> tuple[Entity, ...]:
    found: list[Entity] = []
    if text.startswith("/") and len(text) > 1:
        found.append(Entity("command", 0, utf16_units(text.split(maxsplit=1)[0])))
    if meant and (at := text.find(f"@{meant.name}")) >= 0:
        found.append(Entity("mention", utf16_units(text[:at]), utf16_units(f"@{meant.name}"), meant.id))
    return tuple(found)
