"""Odd ids, names and habits of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hosting import ChannelCommand, ChannelContext, ChannelContribution, InboundEvent

from ...drivers import IMPOSSIBLE, SUPPORTED, Inbound, Turn, json_body
from ..reference import BotChannel, BotDriver, RpcDriver
from ..reference.bot_update import Ignored
from ..reference.bot_wire import press_of
from .model import eccentric

_TAIL = (":/|\\.%2F" + "\N{GRINNING FACE}") * 40


@eccentric(
    "groups-without-threads",
    "takes part in groups whose conversations have no threads",
    base=BotDriver,
    capabilities=replace(BotDriver.capabilities, threads=IMPOSSIBLE("the platform has none")),
)
class GroupsWithoutThreads(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return event if isinstance(event, Ignored) else replace(event, thread_id=None)


@eccentric("long-ids", "has session ids of 500 characters with separators and emoji")
class LongIds(RpcDriver):
    def payload(self, turn: Turn) -> Mapping[str, Any]:
        place = turn.conversation or "default"
        longer = place if len(place) > len(_TAIL) else place + _TAIL
        return super().payload(turn.replace(conversation=longer))


@eccentric("numeric-ids", "has ids that are numbers, or look like them")
class NumericIds(BotDriver):
    def fresh_id(self) -> str:
        return f"{int(super().fresh_id()):020d}"

    def update(self, turn: Turn, delivery_id: str) -> Mapping[str, Any]:
        update = dict(super().update(turn, delivery_id))
        return {**update, "id": int(delivery_id)} if delivery_id.isdecimal() else update


@eccentric("same-names", "shows everybody under the same name")
class SameNames(BotDriver):
    def update(self, turn: Turn, delivery_id: str) -> Mapping[str, Any]:
        return super().update(turn.replace(display="Alex"), delivery_id)


@eccentric("button-reset", "begins a new conversation by a button")
class ButtonResetDriver(BotDriver):
    def inbound(self, turn: Turn) -> Inbound:
        if not turn.reset:
            return super().inbound(turn)
        update = self.update(turn, turn.delivery_id or self.fresh_id())
        return self.post(json_body(press_of(update, "reset")), credential=turn.credential, user=turn.user)


class _ButtonReset(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        return "/new" if _is_reset(payload) else super().text(payload)

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return (
            replace(event, bypass_lane=False)
            if isinstance(event, InboundEvent) and _is_reset(payload)
            else event
        )

    async def with_contents(self, request: Any, event: InboundEvent) -> Any:
        return request if _is_reset(event.payload) else await super().with_contents(request, event)


def _is_reset(payload: Mapping[str, Any]) -> bool:
    return payload.get("kind") == "button" and payload["press"]["data"] == "reset"


ButtonResetDriver.channel_class = _ButtonReset


@eccentric("local-commands", "has commands in the language of its people", base=BotDriver)
class LocalCommands(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        async def hilfe(command: Any) -> None:
            await command.reply("Frag mich etwas.")

        local = ChannelCommand(
            name="hilfe", description="Zeigt, was geht", handle=hilfe, localizations={"tr": "Neler yapılır"}
        )
        inside = super().contribute(context)
        commands: Sequence[ChannelCommand] = [*inside.commands, local]
        return replace(inside, commands=commands)


@eccentric(
    "shared-group",
    "has one session for all people of a group",
    base=BotDriver,
    capabilities=BotDriver.capabilities.but(groups=SUPPORTED(scope="per_conversation")),
)
class SharedGroup(BotChannel):
    def __init__(self, **options: Any) -> None:
        options.setdefault("conversation_scope", "per_conversation")
        super().__init__(**options)
