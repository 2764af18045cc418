"""Bots that answer in groups where nobody asked, in the wrong place, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from hosting import ChannelRequest, ChannelSession, Destination, InboundEvent
from hosting.web import JsonAnswer

from ...drivers import Out, Text, Wire
from ..reference import BotChannel, BotDriver
from ..reference.bot_update import Ignored, Update
from .model import mutant


class _SaysNo(BotChannel):
    """Its platform shows what stands as `say` in the answer to an event."""

    overheard = False

    async def receive(self, request: Request) -> JsonAnswer:
        answer = await super().receive(request)
        return JsonAnswer(b'{"say":"Mention me."}') if self.overheard else answer

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        self.overheard = isinstance(event, Ignored)
        return event


@mutant(
    "says-no-in-the-acknowledgement",
    defect="acknowledges a message that was not for it with words that the platform shows",
    kills={"HC-GROUP-001": "what is shown after a message that was not for the bot: FAILED"},
)
class SaysNoInTheAcknowledgement(BotDriver):
    channel_class = _SaysNo

    def outbound(self, wire: Wire) -> Sequence[Out]:
        said = [Text(wire.json["say"])] if b'"say"' in wire.body else []
        return [*said, *super().outbound(wire)]


@mutant(
    "mutes-the-chat",
    defect="leaves a chat alone for good after a message in it that was not for it",
    kills={
        "HC-GROUP-001": "the next turn that is for the bot: FAILED",
        "HC-REQ-009": "a person is answered afterwards: FAILED",
    },
)
class MutesTheChat(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.muted: set[str] = set()

    def ignores(self, update: Update) -> Ignored | None:
        chat, ignored = update.shown.chat.id, super().ignores(update)
        if ignored is not None:
            self.muted.add(chat)
        return Ignored("a chat of other people") if chat in self.muted else ignored


@mutant(
    "answers-twice-in-groups",
    defect="sends an answer in a group twice, as a reply and as a message",
    kills={"HC-GROUP-002": "default: what is shown of it, form mention: FAILED"},
)
class AnswersTwiceInGroups(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if str(destination.conversation_id).startswith("g_"):
            await super().send(destination, method, params)
        return await super().send(destination, method, params)


@mutant(
    "says-it-was-not-asked",
    defect="tells the group that a message was for somebody else",
    kills={"HC-GROUP-003": "what is shown of a message that mentions other: FAILED"},
)
class SaysItWasNotAsked(BotChannel):
    async def take(self, payload: Mapping[str, Any]) -> None:
        message = payload.get("message", {})
        named = [entity["person"] for entity in message.get("entities", ())]
        if named and self.account.id not in named:
            await self.api.send_text({"chat": message["chat"]["id"]}, "That was not for me.")
        await super().take(payload)


@mutant(
    "forgets-between-group-messages",
    defect="opens a session for each message of a group",
    kills={"HC-GROUP-004": "default: two turns of one person in a group: FAILED"},
)
class ForgetsBetweenGroupMessages(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        if event.conversation_kind == "private":
            return request
        return request.replace(session=ChannelSession("message", key=event.delivery_id))


@mutant(
    "threads-share-a-session",
    defect="leaves the thread out of the request, so that all threads of a group share one session",
    kills={"HC-GROUP-004": "default: the first turn of a thread: FAILED"},
)
class ThreadsShareASession(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(thread_id=None)


@mutant(
    "later-parts-to-main",
    defect="drops the thread from the later parts of a long answer",
    kills={"HC-GROUP-005": "places of the answers to thread one: FAILED"},
)
class LaterPartsToMain(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        place = replace(destination, thread_id=None) if begun else destination
        return await super().deliver(place, method, params, begun=begun)


@mutant(
    "threads-answered-in-private",
    defect="answers a message of a thread in the person's private chat",
    kills={"HC-GROUP-005": "conversations of all answers: FAILED"},
)
class ThreadsAnsweredInPrivate(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if destination.thread_id is not None:
            private = f"c_{str(destination.native_id).removeprefix('u_')}"
            destination = replace(destination, conversation_id=private, thread_id=None)
        return await super().send(destination, method, params)
