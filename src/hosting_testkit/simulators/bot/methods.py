"""The methods of the bot API that show something in a chat. Each one refuses first and changes state last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..parts.markup import BadMarkup, Entity, parse_markup
from ..parts.text_units import utf16_slice, utf16_units
from . import wire
from .chats import Button, Chat, Message, Typing
from .core import BotCore
from .events import tell_message


def send_message(core: BotCore, params: wire.SendMessage) -> dict[str, Any]:
    """A new message."""
    chat = core.writable(params.chat, params.thread)
    text, entities = _text(core, params.text, params.format, params.entities)
    buttons = _buttons(core, params.buttons)
    _check_reply(core, chat, params.reply_to)
    core.pace(chat)
    message = Message(
        chat.next_number(),
        chat.id,
        core.bot,
        text,
        core.clock.now(),
        thread=params.thread,
        reply_to=params.reply_to,
        entities=entities,
        buttons=buttons,
    )
    return _show(core, chat, message)


def edit_message(core: BotCore, params: wire.EditMessage) -> dict[str, Any]:
    """A new text for one of the bot's messages."""
    chat = core.writable(params.chat)
    message = _message(core, chat, params.message)
    text, entities = _text(core, params.text, params.format, params.entities)
    buttons = _buttons(core, params.buttons)
    if message is None:
        return {}
    theirs = message.sender != core.bot
    core.behaviours.refuse("not_yours", f"message {message.id} was written by somebody else", when=theirs)
    same = (text, entities, buttons) == (message.text, message.entities, message.buttons)
    core.behaviours.refuse("not_modified", f"message {message.id} has this text and these buttons", when=same)
    core.pace(chat)
    edited = chat.edit(message, at=core.clock.now(), text=text, entities=entities, buttons=buttons)
    return wire.message_json(edited, chat)


def delete_message(core: BotCore, params: wire.DeleteMessage) -> bool:
    """Takes a message away: in a group the bot's own, or any if it is admin."""
    chat = core.writable(params.chat)
    message = _message(core, chat, params.message)
    if message is None:
        return True
    may = message.sender == core.bot or chat.kind == "private" or core.bot.id in chat.admins
    old = core.clock.now() - message.at > core.limits.delete_within
    core.behaviours.refuse("cannot_delete", f"message {message.id} is not the bot's", when=not may)
    core.behaviours.refuse("cannot_delete", f"message {message.id} is too old", when=old)
    chat.take_away(message.id)
    return True


def send_typing(core: BotCore, params: wire.SendTyping) -> bool:
    """Shows that the bot is typing."""
    chat = core.writable(params.chat, params.thread)
    chat.typing.append(Typing(core.clock.now(), params.thread))
    return True


def send_file(core: BotCore, params: wire.SendFile) -> dict[str, Any]:
    """A file with a caption."""
    chat = core.writable(params.chat, params.thread)
    limit, size = core.limits.file, len(params.data)
    core.behaviours.refuse(
        "file_too_large", f"found {size} bytes, expected at most {limit}", when=size > limit
    )
    limit, units = core.limits.caption, utf16_units(params.caption)
    core.behaviours.refuse(
        "caption_too_long",
        f"caption: found {units} UTF-16 units, expected at most {limit}",
        when=units > limit,
    )
    _check_reply(core, chat, params.reply_to)
    core.pace(chat)
    message = Message(
        chat.next_number(),
        chat.id,
        core.bot,
        params.caption,
        core.clock.now(),
        thread=params.thread,
        reply_to=params.reply_to,
        file=core.chats.keep_file(params.name, params.media_type, params.data),
    )
    return _show(core, chat, message)


def get_chat(core: BotCore, params: wire.ChatParam) -> dict[str, Any]:
    """A chat, its members and admins."""
    chat = core.writable(params.chat)
    members = [wire.person_json(member) for member in chat.members.values()]
    return {**wire.chat_json(chat), "members": members, "admins": sorted(chat.admins)}


def _show(core: BotCore, chat: Chat, message: Message) -> dict[str, Any]:
    chat.show(message)
    chat.typing.clear()
    tell_message(core, "message", chat, message)
    return wire.message_json(message, chat)


def _message(core: BotCore, chat: Chat, number: int) -> Message | None:
    message = chat.find(number)
    core.behaviours.refuse("unknown_message", f"message {number} is not in this chat", when=message is None)
    return message


def _check_reply(core: BotCore, chat: Chat, number: int | None) -> None:
    gone = number is not None and chat.find(number) is None
    core.behaviours.refuse("unknown_reply", f"reply_to: message {number} is not in this chat", when=gone)


def _text(
    core: BotCore, raw: str, format: wire.Format, given: Sequence[wire.EntityParam]
) -> tuple[str, tuple[Entity, ...]]:
    refuse, limits = core.behaviours.refuse, core.limits
    text, entities = raw, tuple(Entity(e.type, e.offset, e.length, e.person) for e in given)
    if format == "markup":
        refuse("bad_request", "found markup and entities, expected one of them", when=given)
        try:
            text, entities = parse_markup(raw)
        except BadMarkup as error:
            refuse("bad_markup", str(error))
    outside = [e for e in entities if utf16_slice(text, e.offset, e.length) is None]
    refuse("bad_markup", f"entities: found {outside}, expected them within the text", when=outside)
    refuse("text_empty", "text: found nothing but white space", when=not text.strip())
    units = utf16_units(text)
    refuse(
        "text_too_long",
        f"found {units} UTF-16 units, expected at most {limits.text}",
        when=units > limits.text,
    )
    many = len(entities)
    refuse(
        "too_many_entities",
        f"found {many} entities, expected at most {limits.entities}",
        when=many > limits.entities,
    )
    return text, entities


def _buttons(core: BotCore, rows: Sequence[Sequence[wire.ButtonParam]]) -> tuple[tuple[Button, ...], ...]:
    refuse, limits = core.behaviours.refuse, core.limits
    buttons = [button for row in rows for button in row]
    refuse(
        "too_many_buttons",
        f"found {len(buttons)} buttons, expected at most {limits.buttons}",
        when=len(buttons) > limits.buttons,
    )
    for button in buttons:
        size = len(button.data.encode())
        refuse("bad_button", "found a button without text", when=not button.text.strip())
        refuse(
            "bad_button",
            f"data: found {size} bytes, expected 1 to {limits.button_data}",
            when=not 1 <= size <= limits.button_data,
        )
    return tuple(tuple(Button(button.text, button.data) for button in row) for row in rows)
