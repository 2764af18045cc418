"""Channels that take people for what they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from hosting import Caller, ChannelIdentity, ChannelRequest, InboundEvent

from ..reference import BotChannel, RpcChannel
from .model import mutant


class _OtherIdentity(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(identity=ChannelIdentity(self.name, self.native_id(event)))

    def native_id(self, event: InboundEvent) -> str:
        raise NotImplementedError


@mutant("chat-as-user", kills={"HC-IDENT-001": "two people in a group are two"})
class ChatAsUser(_OtherIdentity):
    def native_id(self, event: InboundEvent) -> str:
        return event.conversation_id or ""


@mutant(
    "person-per-group",
    defect="takes one person in two places for two",
    kills={"HC-IDENT-001": "a person in a group is the person of the private chat: FAILED"},
)
class PersonPerGroup(_OtherIdentity):
    def native_id(self, event: InboundEvent) -> str:
        return f"{event.conversation_id}/{event.native_id}"


@mutant("name-as-id", kills={"HC-IDENT-002": "a person with a new name"})
class NameAsId(_OtherIdentity):
    def native_id(self, event: InboundEvent) -> str:
        sender = event.payload["message"]["from"]
        return sender.get("name") or sender["id"]


@mutant(
    "merges-namesakes",
    defect="takes a stranger for the person whom it knows by the same name",
    kills={"HC-IDENT-002": "another person with the same name: FAILED"},
)
class MergesNamesakes(_OtherIdentity):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known: dict[str, str] = {}

    def native_id(self, event: InboundEvent) -> str:
        sender = event.payload["message"]["from"]
        known = self.known.setdefault(sender.get("name", ""), sender["id"])
        return self.known.setdefault(sender["id"], known)


@mutant("trusts-header", kills={"HC-IDENT-003": "a turn of ann's with x-user: bob"})
class TrustsHeader(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        caller = await super().authenticate(request)
        return Caller(request.headers.get("x-user", caller.id))


@mutant(
    "trusts-body",
    defect="takes the caller from the body",
    kills={
        "HC-IDENT-003": "what ann's session holds after a body that says bob: FAILED",
        "HC-REQ-011": "the caller: FAILED",
    },
)
class TrustsBody(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        return super().parse(body, Caller(body.get("caller", caller.id)), headers)


@mutant("shared-anon", kills={"HC-IDENT-004": "identities of a turn without a sender"})
class SharedAnonymous(_OtherIdentity):
    def native_id(self, event: InboundEvent) -> str:
        return event.native_id or "anonymous"
