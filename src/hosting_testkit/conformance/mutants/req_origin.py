"""Channels that do not tell the agent where a message came from, or tell the client too much of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hosting import ChannelRequest, HostedRunResult, InboundEvent

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant(
    "goes-by-its-class",
    defect="goes by the name of its class, whatever name it was given",
    kills={"HC-REQ-013": "the channel: FAILED"},
)
class GoesByItsClass(RpcChannel):
    def __init__(self, **options: Any) -> None:
        options["name"] = "rpc-channel"
        super().__init__(**options)


@mutant(
    "sender-left-out",
    defect="leaves the person out of the request",
    kills={"HC-REQ-013": "the identity: FAILED"},
)
class SenderLeftOut(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(identity=None)


@mutant(
    "conversation-left-out",
    defect="leaves the conversation out of the request",
    kills={"HC-REQ-013": "the conversation: FAILED"},
    answers=False,
)
class ConversationLeftOut(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(conversation_id=None)


@mutant(
    "shows-turn-id",
    defect="gives its answers the id that the host keeps the turn under",
    kills={"HC-REQ-013": "the turn's own id stays inside: FAILED"},
)
class ShowsTurnId(RpcChannel):
    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        return {**super().render(result, items), "turn": result.turn_id}
