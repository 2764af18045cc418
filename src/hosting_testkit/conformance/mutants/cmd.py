"""Channels that come between a person and the command that they gave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent_framework import Message

from hosting import (
    ChannelRequest,
    Destination,
    HostedRunResult,
    HostingError,
    InboundEvent,
)

from ..reference import BotChannel
from ..reference.bot_message import place_of
from ..reference.bot_update import Ignored, Update
from .model import mutant


@mutant("command-to-agent", kills={"HC-CMD-001": "calls of the handler: FAILED"})
class CommandToAgent(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        said = Message("user", [request.input])
        return request.replace(input=[Message("user", ["Somebody writes:"]), said])


@mutant("other-bot-command", kills={"HC-CMD-003": "calls of the handler, form other_bot: FAILED"})
class OtherBotCommand(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        message = payload.get("message")
        if message is None:
            return super().parse(payload)
        text = re.sub(r"\A(/\w+)@\w+", r"\1", message["text"])
        return super().parse({**payload, "message": {**message, "text": text}})


@mutant("drops-unknown", kills={"HC-CMD-004": "what the target is told: FAILED"})
class DropsUnknown(BotChannel):
    def ignores(self, update: Update) -> Ignored | None:
        name = update.shown.text.partition(" ")[0]
        known = {f"/{command.name}" for command in self.context.commands}
        if name.startswith("/") and name.lower() not in known:
            return Ignored("an unknown command")
        return super().ignores(update)


@mutant(
    "command-by-its-beginning",
    defect="takes a text for a command that begins like one",
    kills={"HC-CMD-004": "what the target is told: FAILED"},
)
class CommandByItsBeginning(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        text = super().text(payload)
        for command in self.context.commands:
            name, rest = f"/{command.name}", text[len(command.name) + 1 :]
            if text.startswith(name) and rest[:1].isalnum():
                return f"{name} {rest}"
        return text


@mutant("command-error-retry", kills={"HC-CMD-005": "the event is acknowledged: FAILED"})
class CommandErrorRetry(BotChannel):
    """Acknowledges what went well."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ends: dict[str, asyncio.Future[None]] = {}

    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        if isinstance(event, Ignored):
            return
        end = self.ends[event.delivery_id] = asyncio.get_running_loop().create_future()
        if await self.context.accept(event):
            await end

    async def process(self, event: InboundEvent, /) -> None:
        await super().process(event)
        end = self.ends.pop(event.delivery_id)
        if not end.done():
            end.set_result(None)

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        try:
            return await super().run(request, event)
        except HostingError as error:
            self.ends[event.delivery_id].set_exception(error)
            raise


@mutant("reply-once", kills={"HC-CMD-006": "what is said in a private chat: FAILED"})
class ReplyOnce(BotChannel):
    """Shows its latest message only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.latest: dict[Destination, int] = {}

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if method != "sendMessage" or destination not in self.latest:
            sent = await super().send(destination, method, params)
            self.latest[destination] = int(sent)
            return sent
        chat = place_of(destination)["chat"]
        message = {"chat": chat, "message": self.latest[destination]}
        return str((await self.api.send_text(message, params["text"], method="editMessage"))["id"])


@mutant("no-register", kills={"HC-CMD-002": "our command in the menu: FAILED"})
class NoRegister(BotChannel):
    async def offer_commands(self) -> None:
        return


@mutant("register-fatal", kills={"HC-CMD-002": "the application broke its life cycle"})
class RegisterFatal(BotChannel):
    async def start(self) -> None:
        await super().start()
        await self.offer_commands()


@mutant("wipes-foreign-commands", kills={"HC-CMD-002": "the command of somebody else in the menu: FAILED"})
class WipesForeignCommands(BotChannel):
    async def offer_commands(self) -> None:
        ours = [item for item in self.context.commands if item.expose_in_ui]
        menu = [{"name": item.name, "description": item.description} for item in ours]
        await self.api.call("setCommands", {"commands": menu})


@mutant(
    "rewrites-menu",
    defect="writes the menu of commands at each start, also where it is as it should be",
    kills={"HC-CMD-002": "writes of an equal menu: FAILED"},
)
class RewritesMenu(BotChannel):
    async def offer_commands(self) -> None:
        theirs = {item["name"]: item["description"] for item in await self.api.call("getCommands", {})}
        wanted = theirs | {item.name: item.description for item in self.context.commands}
        menu = [{"name": name, "description": text} for name, text in wanted.items()]
        await self.api.call("setCommands", {"commands": menu})


@mutant(
    "command-before-auth",
    defect="takes commands before it looks at the signature",
    kills={"HC-CMD-001": "calls of the handler with a credential that is missing: FAILED"},
)
class CommandBeforeAuth(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        if b'"text":"/' not in raw:
            super().authenticate(raw, headers)


@mutant(
    "command-reply-to-main",
    defect="sends what a command replies to the group and not to the thread",
    kills={"HC-CMD-006": "where it is said in a thread: FAILED"},
)
class CommandReplyToMain(BotChannel):
    """Takes a second message to one place for a reply of a command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known: set[Destination] = set()

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        again = destination in self.known
        self.known.add(destination)
        here = replace(destination, thread_id=None) if again else destination
        return await super().send(here, method, params)
