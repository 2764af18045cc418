"""Channels that mix conversations up."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from hosting import Caller, ChannelRequest, ChannelSession, HostedRunResult, InboundEvent

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant

_numbers = itertools.count()


@mutant(
    "caller-of-the-channel",
    defect="keeps the caller on the channel while it reads the body",
    kills={
        "HC-SESS-002": "whether a request whose body came slowly runs in the session of its own caller: FAILED"
    },
)
class CallerOfTheChannel(RpcChannel):
    caller: Caller

    async def authenticate(self, request: Request) -> Caller:
        self.caller = await super().authenticate(request)
        return self.caller

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        return super().parse(body, self.caller, headers)


@mutant(
    "resets-at-once",
    defect="lets a reset go ahead of what was said before it",
    kills={"HC-SESS-007": "the sessions of what was said before a reset, and behind it: FAILED"},
)
class ResetsAtOnce(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        if isinstance(event, Ignored) or self.text(payload).strip() != "/new":
            return event
        return replace(event, bypass_lane=True)


@mutant("new-session-each-turn", kills={"HC-SESS-001": "the second turn"})
class NewSessionEachTurn(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        return ChannelSession(key=f"turn-{next(_numbers)}")


@mutant("constant-key", kills={"HC-SESS-002": "what another person's session holds"})
class ConstantKey(RpcChannel):
    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        return ChannelSession("everybody", key="default")


@mutant("constant-key", kills={"HC-SESS-002": "what another person's session holds"})
class ConstantKeyOfABot(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        return super().request(event).replace(session=ChannelSession("everybody"))


class _OwnReset(BotChannel):
    """Handles /new by itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.keys: set[str] = set()

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        if request.input != "/new":
            result = await super().run(request, event)
            if result.session and result.session.isolation_key:
                self.keys.add(result.session.isolation_key)
            return result
        await self.reset()
        return await super().run(request.replace(input="/help"), event)

    async def reset(self) -> None:
        raise NotImplementedError


@mutant("reset-all", kills={"HC-SESS-007": "another person's next turn"})
class ResetAll(_OwnReset):
    async def reset(self) -> None:
        for key in self.keys:
            await self.context.reset_session(key)


@mutant("reset-noop", kills={"HC-SESS-007": "the next turn after a reset: FAILED"})
class ResetNoop(_OwnReset):
    async def reset(self) -> None:
        return


@mutant(
    "reset-when-idle",
    defect="overhears /new while a turn of the chat is under way",
    kills={"HC-SESS-007": "the next turn after a reset during a turn: FAILED"},
)
class ResetWhenIdle(BotChannel):
    running = 0

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        self.running += 1
        try:
            return await super().run(request, event)
        finally:
            self.running -= 1

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return Ignored("busy") if self.running and self.text(payload) == "/new" else event
