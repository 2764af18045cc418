"""Channels that do something of their own beside a command, for the best."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from hosting import ChannelRequest, HostedRunResult, HostingError, InboundEvent
from hosting.messaging import OutboundFile

from ..reference import BotChannel
from ..reference.bot_replies import TEXT_LIMIT
from ..reference.bot_update import Ignored
from .model import mutant


def _place(event: InboundEvent) -> dict[str, Any]:
    return {"chat": event.conversation_id}


class _KnowsCommands(BotChannel):
    """Tells commands by their look."""

    def is_command(self, request: ChannelRequest) -> bool:
        first = str(request.input).partition(" ")[0].lower()
        return first in {f"/{command.name}" for command in self.context.commands}


@mutant(
    "says-done",
    defect="says of each command that it is done",
    kills={
        "HC-CMD-001": "what the handler's reply shows: FAILED",
        "HC-CMD-003": "replies, form plain: FAILED",
    },
)
class SaysDone(_KnowsCommands):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        result = await super().run(request, event)
        if self.is_command(request):
            await self.api.send_text(_place(event), "Done.")
        return result


@mutant(
    "agent-hears-commands",
    defect="tells the agent of each command that was given",
    kills={
        "HC-CMD-001": "runs of the target: FAILED",
        "HC-CMD-003": "runs of the target, form plain: FAILED",
        "HC-CMD-005": "runs of the target: FAILED",
    },
)
class AgentHearsCommands(_KnowsCommands):
    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        if self.is_command(request):
            note = request.replace(input=f"There was a command: {request.input}", delivery_id=None)
            await self.context.run(note)
        return await super().run(request, event)


@mutant(
    "hook-sees-commands",
    defect="calls the run hook itself for commands, since the host does not",
    kills={"HC-CMD-001": "calls of the run hook: FAILED"},
)
class HookSeesCommands(_KnowsCommands):
    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        if self.run_hook is not None and self.is_command(request):
            self.run_hook(request)
        return request


@mutant("other-bot-command", kills={"HC-CMD-003": "for another bot in a group: calls and runs: FAILED"})
class OtherBotCommandInGroup(BotChannel):
    """Takes each command in a group for its own."""

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        message = payload.get("message")
        if message is None or message["chat"]["kind"] != "group":
            return super().parse(payload)
        ours = {**message, "text": message["text"].replace("@other_bot", "@helper")}
        return super().parse({**payload, "message": ours})


@mutant(
    "corrects-other-bots",
    defect="says in a group that it does not know what another bot was told",
    kills={"HC-CMD-003": "for another bot in a group: what is shown: FAILED"},
)
class CorrectsOtherBots(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        event = self.parse(payload)
        chat = payload.get("message", {}).get("chat", {})
        if event == Ignored("a command for another bot") and chat["kind"] == "group":
            await self.api.send_text({"chat": chat["id"]}, "I do not know this.")
        await super().take(payload)


@mutant(
    "lectures-on-unknown",
    defect="says of a command that it does not know it, ahead of the agent's answer",
    kills={"HC-CMD-004": "what is answered: FAILED"},
)
class LecturesOnUnknown(_KnowsCommands):
    lecture = False

    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        self.lecture = str(request.input).startswith("/") and not self.is_command(request)
        return request

    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        said = super().items(payload)
        return ["I do not know this command.", *said] if self.lecture else said


@mutant(
    "joins-replies",
    defect="puts a short reply of a command into the message before it",
    kills={"HC-CMD-006": "messages that begin with a reply: FAILED"},
)
class JoinsReplies(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.latest: dict[Any, tuple[str, str]] = {}

    async def send(self, destination: Any, method: str, params: Mapping[str, Any]) -> str:
        number, before = self.latest.get(destination, ("", ""))
        text = f"{before}\n{params.get('text')}".strip()
        if not number or method != "sendMessage" or len(text) > TEXT_LIMIT:
            number, text = await super().send(destination, method, params), str(params.get("text"))
        else:
            message = {"chat": destination.conversation_id, "message": number}
            await self.api.send_text(message, text, method="editMessage")
        self.latest[destination] = number, text
        return number


@mutant(
    "command-runs-again",
    defect="gives each delivery of an event an id of its own",
    kills={"HC-CMD-005": "calls after a redelivery: FAILED"},
)
class CommandRunsAgain(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.deliveries = itertools.count()

    def delivery_id(self, event_id: str) -> str:
        return f"{event_id}/{next(self.deliveries)}"


@mutant(
    "disables-commands",
    defect="takes no command any more once one has failed",
    kills={"HC-CMD-005": "what another command shows then: FAILED"},
)
class DisablesCommands(_KnowsCommands):
    failure: HostingError | None = None

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        if self.failure is not None and self.is_command(request):
            raise self.failure
        try:
            return await super().run(request, event)
        except HostingError as error:
            self.failure = error
            raise
