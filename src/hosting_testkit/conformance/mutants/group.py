"""Bots that misbehave in groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hosting import ChannelRequest, ChannelSession, Destination, InboundEvent

from ..reference import BotChannel
from ..reference.bot_update import Ignored, Update, read_update
from .model import mutant


@mutant(
    "answers-everything",
    kills={"HC-GROUP-001": "runs after a message that was not for the bot: FAILED"},
)
class AnswersEverything(BotChannel):
    def __init__(self, **options: Any) -> None:
        options["accept_in_group"] = "all"
        super().__init__(**options)


@mutant(
    "keeps-mention",
    kills={"HC-GROUP-002": "default: what the target is told of a message, form mention: FAILED"},
)
class KeepsMention(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        update = read_update(payload)
        return "" if isinstance(update, Ignored) or update.press else update.shown.text


@mutant(
    "cuts-by-characters",
    defect="takes the place of a mention, which counts UTF-16 units, for one that counts characters",
    kills={
        "HC-GROUP-002": "what the target is told of a message with emoji, mention inside: FAILED",
    },
)
class CutsByCharacters(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        update = read_update(payload)
        if isinstance(update, Ignored) or update.press or not update.shown.entities:
            return super().text(payload)
        entity, text = update.shown.entities[0], update.shown.text
        return text[: entity.offset] + text[entity.offset + entity.length :].removeprefix(" ")


@mutant("prefix-mention", kills={"HC-GROUP-003": "runs of a message that mentions lookalike: FAILED"})
class PrefixMention(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        message = payload.get("message")
        if message is None or not message["text"].startswith(f"@{self.account.name}"):
            return super().parse(payload)
        length = len(self.account.name) + 1
        mention = {"type": "mention", "offset": 0, "length": length, "person": self.account.id}
        return super().parse({**payload, "message": {**message, "entities": [mention]}})


@mutant("group-shares-all", kills={"HC-GROUP-004": "default: the first turn of another person: FAILED"})
class GroupSharesAll(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        if event.conversation_kind == "private":
            return request
        return request.replace(session=ChannelSession("group", key=event.conversation_id))


@mutant("dm-group-mix", kills={"HC-GROUP-004": "default: the first turn of the private chat: FAILED"})
class GroupAsPrivate(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(conversation_kind="private")


@mutant(
    "scope-ignored",
    kills={"HC-GROUP-004": "per_conversation: a turn of another person, which shares: FAILED"},
)
class ScopeIgnored(BotChannel):
    def __init__(self, **options: Any) -> None:
        options["conversation_scope"] = None
        super().__init__(**options)


@mutant("reply-to-main", kills={"HC-GROUP-005": "threads of all answers: FAILED"})
class ReplyToMain(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        main = Destination(
            destination.channel, destination.native_id, conversation_id=destination.conversation_id
        )
        return await super().send(main, method, params)


@mutant(
    "types-at-everything",
    defect="shows that it is typing before it looks for whom a message is",
    kills={
        "HC-GROUP-001": "calls to the platform after a message that was not for the bot: FAILED",
        "HC-REQ-008": "platform calls of edit: FAILED",
    },
)
class TypesAtEverything(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        if chat := payload.get("message", {}).get("chat"):
            await self.api.call("sendTyping", {"chat": chat["id"]})
        await super().take(payload)


@mutant(
    "commands-always",
    defect="takes every command in a group for its own, whatever `accept_in_group` says",
    kills={"HC-GROUP-002": "default: calls of a command's handler: FAILED"},
)
class CommandsAlways(BotChannel):
    def ignores(self, update: Update) -> Ignored | None:
        return None if update.shown.text.startswith("/") else super().ignores(update)


@mutant(
    "answers-the-first-group",
    defect="sends the answers to all groups to the first one that it was asked in",
    kills={"HC-GROUP-005": "another group's answer: FAILED"},
)
class AnswersTheFirstGroup(BotChannel):
    first: str | None = None

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if str(destination.conversation_id).startswith("g_"):
            self.first = self.first or destination.conversation_id
            destination = replace(destination, conversation_id=self.first)
        return await super().send(destination, method, params)
