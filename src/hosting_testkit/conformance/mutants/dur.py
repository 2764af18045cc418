"""Channels that lose what they should keep when their process ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import (
    Caller,
    ChannelRequest,
    ChannelSession,
    HostedRunResult,
    InboundEvent,
    UnknownReference,
)

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("memory-only", kills={"HC-DUR-001": "what the session holds after a stop: FAILED"})
class MemoryOnly(BotChannel):
    """Names its sessions itself, and keeps the names in a dict."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.names: dict[str | None, str] = {}

    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        key = self.names.setdefault(event.conversation_id, self.context.id_source.new("sess"))
        return request.replace(session=ChannelSession(key=key))


@mutant(
    "names-kept-at-the-stop",
    defect="names its sessions itself, and stores the names when it stops",
    kills={"HC-DUR-001": "what the session holds after a kill: FAILED"},
)
class NamesKeptAtTheStop(MemoryOnly):
    async def start(self) -> None:
        await super().start()
        self.names = {chat: str(key) for chat, key in await self.context.state("names").scan("")}

    async def stop(self) -> None:
        for chat, key in self.names.items():
            await self.context.state("names").put(chat or "", key)
        await super().stop()


@mutant(
    "answer-as-session",
    defect="takes the id of an earlier answer for the name of a session, which nobody has written to",
    kills={"HC-DUR-001": "what an answer leads to: FAILED"},
)
class AnswerAsSession(RpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        turn = super().parse(body, caller, headers)
        after = body.get("after")
        return turn.replace(session=ChannelSession(key=after)) if after else turn


@mutant("memory-only", kills={"HC-DUR-001": "what an earlier answer led to after a stop: FAILED"})
class AnswersInMemory(RpcChannel):
    """Keeps a list of its answers in memory, and knows no others."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.given: set[str] = set()

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        if (after := body.get("after")) and after not in self.given:
            raise UnknownReference("There is no such answer.", param="after")
        return super().parse(body, caller, headers)

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        self.given.add(result.response_id)
        return result
