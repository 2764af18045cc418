"""Channels that let callers, or their own secrets, into the envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import Caller, ChannelRequest

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored, Update
from .model import mutant


@mutant("forwards-all-options", kills={"HC-REQ-004": "options with an unknown key in the body: FAILED"})
class ForwardsAllOptions(RpcChannel):
    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().options(body), **{name: body[name] for name in body.keys() - {"options", "input"}}}


@mutant(
    "streams-to-who-accepts",
    defect="streams to every caller who says that streams would be accepted",
    kills={"HC-REQ-006": "what a caller gets who accepts streams and asks for none: FAILED"},
)
class StreamsToWhoAccepts(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(stream=turn.stream or "text/event-stream" in headers.get("accept", ""))


@mutant(
    "drops-zero-options",
    defect="tests options for truth, so that 0 and false count as not given",
    kills={"HC-REQ-004": "temperature that is 0.0 arrives, or is refused: FAILED"},
)
class DropsZeroOptions(RpcChannel):
    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in super().options(body).items() if value}


@mutant("options-conversation-id", kills={"HC-REQ-004": "session references among the options: FAILED"})
class OptionsConversationId(RpcChannel):
    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        after = body.get("after")
        return {**super().options(body), **({"previous_response_id": after} if after else {})}


@mutant("token-in-attributes", kills={"HC-REQ-005": "secrets in metadata and attributes: FAILED"})
class TokenInAttributes(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(attributes={**turn.attributes, "authorization": headers.get("authorization", "")})


@mutant("always-stream", kills={"HC-REQ-006": "`stream` of three requests: FAILED"})
class AlwaysStream(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        return await super().run(turn.replace(stream=True), body)


@mutant("body-sets-host-keys", kills={"HC-REQ-011": "attributes of the host that the body set: FAILED"})
class BodySetsHostKeys(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        return turn.replace(attributes={**turn.attributes, **body})


@mutant("envelope-incomplete", kills={"HC-REQ-013": "the delivery id: FAILED"})
class EnvelopeIncomplete(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        return super().parse(body, caller, headers).replace(delivery_id=None)


@mutant("self-loop", kills={"HC-REQ-009": "runs of the bot's own message: FAILED"})
class SelfLoop(BotChannel):
    def ignores(self, update: Update) -> Ignored | None:
        return None


@mutant("bot-ping-pong", kills={"HC-REQ-009": "messages in a row of another bot: FAILED"})
class BotPingPong(BotChannel):
    def ignores(self, update: Update) -> Ignored | None:
        sender = update.sender
        another = sender is not None and sender.bot and sender.id != self.account.id
        return None if another else super().ignores(update)
