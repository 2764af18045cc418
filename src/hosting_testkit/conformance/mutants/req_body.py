"""Channels that take too much, or too little, of a body into the envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import Message

from hosting import Caller, ChannelIdentity, ChannelRequest

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "drops-an-allowed-option",
    defect="takes the first of the options that callers may set, and forgets the others",
    kills={"HC-REQ-004": "options that were asked for: FAILED"},
)
class DropsAnAllowedOption(RpcChannel):
    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(list(super().options(body).items())[:1])


@mutant(
    "unknown-keys-lost",
    defect="leaves unknown keys of a body out of the attributes",
    kills={"HC-REQ-004": "the unknown key is found by the app: FAILED"},
)
class UnknownKeysLost(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(
            attributes={name: value for name, value in turn.attributes.items() if name != "body"}
        )


@mutant(
    "unknown-keys-in-the-message",
    defect="hands unknown keys of a body to the target as properties of the message",
    kills={"HC-REQ-004": "the unknown key stays away from the target: FAILED"},
)
class UnknownKeysInTheMessage(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        unknown = dict(turn.attributes.get("body", {}))
        return turn.replace(input=[Message("user", [self.input(body)], additional_properties=unknown)])


@mutant(
    "objects-in-attributes",
    defect="puts an object of its own into the attributes, which cannot be stored",
    kills={"HC-REQ-005": "metadata and attributes are JSON: FAILED"},
)
class ObjectsInAttributes(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(attributes={**turn.attributes, "asked_by": caller})


@mutant(
    "developers-block-lost",
    defect="leaves the developer's block out of the attributes",
    kills={"HC-REQ-011": "the developer's block: FAILED"},
)
class DevelopersBlockLost(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        return super().parse({**body, "hosting": None}, caller, headers)


@mutant(
    "body-sets-identity",
    defect="takes the person from the body",
    kills={"HC-REQ-011": "the identity: FAILED"},
)
class BodySetsIdentity(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn, person = super().parse(body, caller, headers), body.get("identity")
        return turn.replace(identity=ChannelIdentity(self.name, person)) if person else turn


@mutant(
    "body-sets-delivery-id",
    defect="takes the delivery id from the body",
    kills={"HC-REQ-011": "the delivery id: FAILED"},
)
class BodySetsDeliveryId(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(delivery_id=body.get("delivery_id", turn.delivery_id))
